"""`./dev test`: the tiers of the test suite, what each needs, and which run beside each other."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from embedded import plugins
from embedded.cluster import BINARIES
from embedded.commands.lanes import run_lanes
from embedded.layout import Layout
from embedded.progress import Progress
from embedded.toolchain import NAMES, provision
from onprem_agents.errors import UnknownFact

_CONTROL_PLANE = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok")


@dataclass(frozen=True, kw_only=True)
class Tier:
    """One folder below `tests`, what it shows, and the binaries to bring before it runs.

    Tiers of different lanes share nothing but the cache, whose builds lock each other out, and may run at once.
    The lanes are of about the same length. What is `optional` runs only when it is named.
    """

    name: str
    shows: str
    binaries: tuple[str, ...] = ()
    lane: str = "code and agents"
    optional: bool = False


TIERS = (
    Tier(name="unit", shows="pure code; seconds, nothing but Python"),
    Tier(name="toolchain", shows="how binaries are found, fetched and built"),
    Tier(name="components", shows="the Pulumi program on mocks"),
    Tier(name="policy", shows="the policy pack on rendered manifests"),
    Tier(name="golden", shows="rendered manifests of every stack against the committed ones"),
    Tier(
        name="lowest",
        shows="the fast tiers with the lowest versions that pyproject.toml allows",
        lane="clusters",
    ),
    Tier(
        name="provider",
        shows="what the program relies on of the Kubernetes provider, against a real API server",
        binaries=(*_CONTROL_PLANE, *plugins.PROGRAMS),
        lane="clusters",
    ),
    Tier(
        name="cluster",
        shows="the whole product on the embedded cluster",
        binaries=NAMES,
        lane="clusters",
    ),
    Tier(
        name="agents",
        shows="the real agents through the real gateway",
        binaries=NAMES,
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
    """
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
    lanes = [[tier for tier in chosen if tier.lane == lane] for lane in dict.fromkeys(t.lane for t in chosen)]
    if len(lanes) > 1 and not options:
        sys.exit(run_lanes({tiers[0].lane: command_of(tiers, ["--color=no"]) for tiers in lanes}))
    command = command_of(chosen, options)
    os.execv(command[0], command)  # noqa: S606 - signals and the exit code are pytest's own from here on


def command_of(tiers: Sequence[Tier], options: Sequence[str] = ()) -> list[str]:
    """Return the pytest command for some tiers."""
    folders = [f"tests/{tier.name}" for tier in tiers]
    return [sys.executable, "-m", "pytest", "-m", "", *folders, *options]
