"""`./dev bench program`: what the Pulumi program costs, next to an empty one in the same rounds."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from embedded.layout import Layout
from embedded.progress import Progress
from tools.bench.figures import Comparison, Figures, Growth, Series
from tools.bench.usage import Usage
from tools.bench.workspace import EMPTY_STACK, Size, Workspace, workspace

# The aims of the product: ratios to the empty program.
EVALUATION_AIM = 4.0
PREVIEW_AIM = 3.0
# Slopes of two halves differ by this much between runs on a quiet machine (measured, 2026-11).
LINEAR_AIM = 1.5
_LOCAL = Size(developers=2, roles=1)
# Once, four times, sixteen times; a stack holds 16 roles at most.
_SIZES = (Size(developers=31, roles=1), Size(developers=125, roles=4), Size(developers=500, roles=16))
_POLICIES = ("--policy-pack", "policy")
_QUIET = ("--yes", "--skip-preview")

Timed = Callable[[], Usage]


def measure_program(layout: Layout, progress: Progress, *, rounds: int = 5) -> Figures:
    """Measure `rounds` times, the slow things less often. Raises `OnpremError` naming the log."""
    before = os.getloadavg()[0]
    with workspace(layout, progress) as space:
        config = space.config(_LOCAL)
        space.product.add_stack("local", config)
        resources = space.product.evaluated("local", space.config_file("local", config))[1]
        comparisons = [
            _evaluation(space, resources, rounds, progress),
            *_previews(space, resources, rounds, progress),
        ]
        growth = _growth(space, max(1, rounds - 2), progress)
        comparisons += _updates(space, resources, max(1, rounds // 2), progress)
    return Figures(
        comparisons=comparisons,
        growth=growth,
        cores=os.cpu_count() or 1,
        load=(before, os.getloadavg()[0]),
    )


def _evaluation(space: Workspace, resources: int, rounds: int, progress: Progress) -> Comparison:
    what = "import + evaluation"
    local, empty = _series(what, resources), _series(what, 0)
    files = space.configs / "local.json", space.config_file(EMPTY_STACK)
    _alternate(
        rounds,
        progress,
        (empty, lambda: space.empty.evaluated(EMPTY_STACK, files[1])[0]),
        (local, lambda: space.product.evaluated("local", files[0])[0]),
    )
    return Comparison(series=local, base=empty, aim=EVALUATION_AIM)


def _previews(space: Workspace, resources: int, rounds: int, progress: Progress) -> list[Comparison]:
    bare, guarded = _series("preview", resources), _series("preview with policies", resources)
    empty = _series("preview", 0)
    _alternate(
        rounds,
        progress,
        (empty, lambda: space.empty.timed("preview", EMPTY_STACK)),
        (bare, lambda: space.product.timed("preview", "local")),
        (guarded, lambda: space.product.timed("preview", "local", *_POLICIES)),
    )
    return [
        Comparison(series=bare, base=empty),
        Comparison(series=guarded, base=empty, aim=PREVIEW_AIM),
    ]


def _growth(space: Workspace, rounds: int, progress: Progress) -> list[Growth]:
    """Evaluate and preview three stacks that differ in nothing but developers and roles, in equal proportion."""
    evaluations: list[tuple[Series, Timed]] = []
    previews: list[tuple[Series, Timed]] = []
    for size in _SIZES:
        stack = f"developers-{size.developers}"
        config = space.config(size)
        space.product.add_stack(stack, config)
        file = space.config_file(stack, config)
        resources = space.product.evaluated(stack, file)[1]
        what = f"{size.developers} developers, {size.roles} {'role' if size.roles == 1 else 'roles'}"
        evaluations.append(
            (_series(f"import + evaluation, {what}", resources), _evaluate(space, stack, file))
        )
        previews.append((_series(f"preview with policies, {what}", resources), _preview(space, stack)))
    found = []
    for timed in (evaluations, previews):
        _alternate(rounds, progress, *timed)
        small, middle, large = (series for series, _ in timed)
        found.append(Growth(small=small, middle=middle, large=large, aim=LINEAR_AIM))
    return found


def _evaluate(space: Workspace, stack: str, config: Path) -> Timed:
    return lambda: space.product.evaluated(stack, config)[0]


def _preview(space: Workspace, stack: str) -> Timed:
    return lambda: space.product.timed("preview", stack, *_POLICIES)


def _updates(space: Workspace, resources: int, rounds: int, progress: Progress) -> list[Comparison]:
    first, first_empty = _series("up from nothing, with policies", resources), _series("up from nothing", 0)
    again, again_empty = _series("up without a change, with policies", resources), _series("up again", 0)
    for number in range(1, rounds + 1):
        with progress.step(f"up, up again, destroy: round {number} of {rounds}"):
            for series in (first_empty, again_empty):
                series.runs.append(space.empty.timed("up", EMPTY_STACK, *_QUIET))
            for series in (first, again):
                series.runs.append(space.product.timed("up", "local", *_QUIET, *_POLICIES))
            space.empty.timed("destroy", EMPTY_STACK, *_QUIET)
            space.product.timed("destroy", "local", *_QUIET)
    return [Comparison(series=first, base=first_empty), Comparison(series=again, base=again_empty)]


def _alternate(rounds: int, progress: Progress, *timed: tuple[Series, Timed]) -> None:
    """Run each in turn, `rounds` times, so that a change of the machine's load meets all of them.

    Each runs once before that, uncounted: it writes the bytecode, and reads binaries from the disk.
    """
    with progress.step(f"{timed[-1][0].what}: once, uncounted"):
        for _, run in timed:
            run()
    for number in range(1, rounds + 1):
        with progress.step(f"{timed[-1][0].what}: round {number} of {rounds}"):
            for series, run in timed:
                series.runs.append(run())


def _series(what: str, resources: int) -> Series:
    return Series(what=what, resources=resources)
