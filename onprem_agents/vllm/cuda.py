"""CUDA of an image, and the driver that it needs on the node.

NVIDIA's rules: a driver runs what was built for an older CUDA, and what was built for a newer minor release of its
own major one except for code that is compiled at run time; nothing of a newer major release.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from onprem_agents.vllm.release import known_releases, load_release, nearest_release

Cuda = tuple[int, int]

# CUDA's major release → oldest driver branch that runs any of it (NVIDIA's CUDA Compatibility r590, table 1 of "Minor
# Version Compatibility", read 2026-11-28).
_LEAST_BRANCH: Mapping[int, int] = {11: 450, 12: 525, 13: 580}

# Driver branch → the CUDA release that it was made with (table of drivers in the release notes of CUDA 12.9 and 13.1,
# read 2026-11-28).
_MADE_WITH: Mapping[int, Cuda] = {
    525: (12, 0),
    530: (12, 1),
    535: (12, 2),
    545: (12, 3),
    550: (12, 4),
    555: (12, 5),
    560: (12, 6),
    570: (12, 8),
    575: (12, 9),
    580: (13, 0),
    590: (13, 1),
}

# vLLM's own builds for another CUDA than the release's say it in the tag: v0.33.0-cu129 (vllm-project/vllm#39878).
_TAGGED = re.compile(r"[:-]cu(?P<major>[0-9]{2})(?P<minor>[0-9])(?=[-@]|$)")


@dataclass(frozen=True, kw_only=True)
class ImageCuda:
    """The CUDA release that an image brings; `assumed` where only the vLLM release tells, not the image."""

    cuda: Cuda
    assumed: bool


def image_cuda(image: str, release: str) -> ImageCuda:
    """Return what an image brings that serves one vLLM release: its tag tells, else the release's own image."""
    if tagged := _TAGGED.search(image):
        return ImageCuda(cuda=(int(tagged["major"]), int(tagged["minor"])), assumed=False)
    known = nearest_release(release)
    own = (
        known.release == release and image.partition("@")[0] == f"{known.image.repository}:{known.image.tag}"
    )
    return ImageCuda(cuda=parse_cuda(known.image.cuda), assumed=not own)


def parse_cuda(text: str) -> Cuda:
    """Return "12.9" as (12, 9)."""
    major, _, minor = text.partition(".")
    return int(major), int(minor or 0)


def least_branch(cuda: Cuda) -> int:
    """Return the oldest driver branch that runs it; a major release that is not known yet needs the newest one."""
    return _LEAST_BRANCH.get(cuda[0], max(_MADE_WITH))


def own_branch(cuda: Cuda) -> int:
    """Return the driver branch that was made with it, or the next later one."""
    return min((branch for branch, made in _MADE_WITH.items() if made >= cuda), default=max(_MADE_WITH))


def cuda_of_branch(branch: int) -> Cuda | None:
    """Return the CUDA release that a driver branch was made with; None for a branch older than all known ones."""
    return max((made for known, made in _MADE_WITH.items() if known <= branch), default=None)


def newest_release_for(branch: int) -> str | None:
    """Return the newest vLLM release whose own image a driver branch runs, None where none does."""
    fit = (
        version
        for version in reversed(known_releases())
        if least_branch(parse_cuda(load_release(version).image.cuda)) <= branch
    )
    return next(fit, None)
