"""The folder of each vLLM release: whole, and of the release that its name says."""

from __future__ import annotations

from pathlib import Path

import pytest

from onprem_agents import vllm
from onprem_agents.vllm import load_release

FOLDERS = sorted((Path(vllm.__file__).parent / "releases").iterdir())


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_release_is_a_folder_of_three_files(folder: Path) -> None:
    assert {file.name for file in folder.iterdir()} == {"options.json", "image.json", "memory.json"}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_release_and_its_image_are_those_of_the_folders_name(folder: Path) -> None:
    release = load_release(folder.name)

    assert release.release == folder.name
    assert release.image.tag == f"v{folder.name}"
