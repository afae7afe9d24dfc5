"""Which CUDA an image brings, and which driver of NVIDIA's runs it."""

from __future__ import annotations

from pathlib import Path

import pytest

from onprem_agents.vllm import (
    Cuda,
    cuda_of_branch,
    image_cuda,
    known_releases,
    least_branch,
    load_release,
    newest_release_for,
    own_branch,
    version_key,
)

CLUSTER_PAGE = Path(__file__).parents[2] / "docs" / "cluster.md"


@pytest.mark.parametrize(
    ("image", "release", "cuda", "assumed"),
    [
        ("docker.io/vllm/vllm-openai:v0.33.0", "0.33.0", (13, 0), False),
        ("docker.io/vllm/vllm-openai:v0.19.1", "0.19.1", (12, 9), False),
        ("docker.io/vllm/vllm-openai:v0.33.0@sha256:" + "0" * 64, "0.33.0", (13, 0), False),
        ("docker.io/vllm/vllm-openai:v0.33.0-cu129", "0.33.0", (12, 9), False),
        ("registry.example.internal/vllm:v0.22.0-cu129-ubuntu2404", "0.22.0", (12, 9), False),
        ("registry.example.internal/vllm:cu126", "0.33.0", (12, 6), False),
        ("registry.example.internal/vllm:v0.33.0", "0.33.0", (13, 0), True),
        ("registry.example.internal/acu1290/vllm:1", "0.12.0", (12, 9), True),
        ("docker.io/vllm/vllm-openai:v0.33.1", "0.33.1", (13, 0), True),
    ],
)
def test_the_cuda_of_an_image_is_told_by_its_tag_or_assumed_of_its_release(
    image: str, release: str, cuda: Cuda, assumed: bool
) -> None:
    found = image_cuda(image, release)

    assert (found.cuda, found.assumed) == (cuda, assumed)


@pytest.mark.parametrize(
    ("cuda", "least", "own"),
    [((11, 8), 450, 525), ((12, 0), 525, 525), ((12, 8), 525, 570), ((12, 9), 525, 575), ((13, 0), 580, 580)],
)
def test_a_cuda_release_needs_the_driver_that_nvidia_says(cuda: Cuda, least: int, own: int) -> None:
    assert (least_branch(cuda), own_branch(cuda)) == (least, own)


def test_a_cuda_release_that_is_not_known_yet_needs_the_newest_driver() -> None:
    assert least_branch((14, 0)) == own_branch((14, 0)) == 590


@pytest.mark.parametrize(
    ("branch", "cuda"), [(450, None), (525, (12, 0)), (535, (12, 2)), (565, (12, 6)), (615, (13, 1))]
)
def test_a_driver_knows_the_cuda_release_that_it_was_made_with(branch: int, cuda: Cuda | None) -> None:
    assert cuda_of_branch(branch) == cuda


def test_an_older_driver_runs_an_older_release() -> None:
    assert newest_release_for(580) == known_releases()[-1]
    assert newest_release_for(535) == newest_release_for(579) == "0.19.1"
    assert newest_release_for(520) is None


def test_the_page_says_what_the_releases_bring() -> None:
    text = " ".join(CLUSTER_PAGE.read_text(encoding="utf-8").split())
    brought = {load_release(each).image.cuda: each for each in reversed(known_releases())}
    (older, newer) = sorted(brought, key=version_key)
    last = max((each for each in known_releases() if load_release(each).image.cuda == older), key=version_key)

    said = f"{older} up to vLLM {last.rpartition('.')[0]}, {newer} since {brought[newer].rpartition('.')[0]}"
    assert said in text
    for cuda in ((12, 9), (13, 0)):
        assert f"{least_branch(cuda)} or later for the" in text
