"""`./dev test`: the tiers of the test suite, what each needs, and which run beside each other."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from embedded import plugins
from embedded.cluster import BINARIES
from embedded.commands.lanes import run_lanes
from embedded.commands.newest import OPTION, try_newest
from embedded.layout import Layout
from embedded.progress import Progress
from embedded.toolchain import NAMES, provision
from onprem_agents.errors import EnvironmentProblem, UnknownFact

_CONTROL_PLANE = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok")


@dataclass(frozen=True, kw_only=True)
class Tier:
    """One folder below `tests`, what it shows, and the binaries to bring before it runs.

    Tiers of different lanes share nothing but the cache, whose builds lock each other out, and may run at once.
    What is `optional` runs only when it is named. The files `apart` of a tier that runs alone have a lane of their own.
    """

    name: str
    shows: str
    binaries: tuple[str, ...] = ()
    lane: str = "code and agents"
    optional: bool = False
    apart: tuple[str, ...] = ()


TIERS = (
    Tier(name="unit", shows="pure code; seconds, nothing but Python"),
    Tier(name="toolchain", shows="how binaries are found, fetched and built"),
    Tier(name="components", shows="the Pulumi program on mocks"),
    Tier(name="policy", shows="the policy pack on rendered manifests"),
    Tier(name="golden", shows="rendered manifests of every stack against the committed ones"),
    Tier(
        name="lowest",
        shows="the fast tiers with the lowest versions that pyproject.toml allows",
    ),
    Tier(
        name="provider",
        shows="what the program relies on of the Kubernetes provider, against a real API server",
        binaries=(*_CONTROL_PLANE, *plugins.PROGRAMS),
    ),
    Tier(
        name="cluster",
        shows="the whole product on the embedded cluster",
        binaries=NAMES,
        lane="clusters",
    ),
    Tier(
        name="agents",
        shows="the real agents at work through the real gateway, in terminals, and in homes full of leftovers",
        binaries=NAMES,
        apart=("test_leftover_homes.py",),
    ),
    Tier(
        name="gateway",
        shows="the gateway, LiteLLM, other proxies and the doctor, asked by plain requests and by the agents",
        binaries=NAMES,
        lane="clusters",
    ),
    Tier(
        name="kueue",
        shows="Kueue's own controller on the embedded cluster; only when named, it is compiled for it",
        binaries=(*BINARIES, "kueue-manager"),
        lane="clusters",
        optional=True,
    ),
    Tier(name="planner", shows="KV arithmetic and rendered options against vLLM's own planner and parser"),
)


def test(layout: Layout, arguments: Sequence[str], *, progress: Progress) -> None:
    """Run pytest on the named tiers (all but the optional ones when none is named).

    Arguments from the first one that begins with a dash go to pytest as they are, and then one pytest runs all:
    `-x`, `--pdb` or `--junitxml` mean one run. Without them each lane has a pytest of its own. Ends this process
    with the exit code. Raises `UnknownFact` for a tier that does not exist.

    `agents --newest [AGENT…]` is a run of its own: the newest releases of the agents, written into the catalogue.
    """
    if tuple(arguments[:2]) == ("agents", OPTION):
        provision(layout, set(NAMES), progress)
        sys.exit(try_newest(layout, arguments[2:], progress=progress))
    if OPTION in arguments:
        raise EnvironmentProblem(
            f"{OPTION} comes right after the one tier agents: ./dev test agents {OPTION}"
        )
    names = [tier.name for tier in TIERS]
    first_option = next(
        (index for index, word in enumerate(arguments) if word.startswith("-")), len(arguments)
    )
    wanted = list(arguments[:first_option]) or [tier.name for tier in TIERS if not tier.optional]
    for word in wanted:
        if word not in names:
            raise UnknownFact("test tier", word, names)
    chosen = [tier for tier in TIERS if tier.name in wanted]
    needed = {name for tier in chosen for name in tier.binaries}
    if needed:
        provision(layout, needed, progress)
    options = arguments[first_option:]
    os.chdir(layout.checkout)
    sys.stdout.flush()
    lanes = lanes_of(chosen)
    if len(lanes) > 1 and not options:
        sys.exit(run_lanes({name: _command(tests, ["--color=no"]) for name, tests in lanes.items()}))
    command = _command([f"tests/{tier.name}" for tier in chosen], options)
    os.execv(command[0], command)  # noqa: S606 - signals and the exit code are pytest's own from here on


def lanes_of(tiers: Sequence[Tier]) -> dict[str, list[str]]:
    """Return what each pytest runs, by its name: folders, or files, and which of them it leaves to the other."""
    if len(tiers) == 1 and tiers[0].apart:
        files = [f"tests/{tiers[0].name}/{file}" for file in tiers[0].apart]
        return {
            tiers[0].lane: [f"tests/{tiers[0].name}", *(f"--ignore={file}" for file in files)],
            "apart": files,
        }
    lanes: dict[str, list[str]] = {}
    for tier in tiers:
        lanes.setdefault(tier.lane, []).append(f"tests/{tier.name}")
    return lanes


def _command(tests: Sequence[str], options: Sequence[str] = ()) -> list[str]:
    return [sys.executable, "-m", "pytest", "-m", "", *tests, *options]
