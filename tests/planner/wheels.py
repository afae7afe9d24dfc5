"""The Python files of vLLM's older releases, fetched once into the cache folder.

A wheel has some hundred MB; its Python files, 20 to 40 MB, stay. They run with the PyTorch of another release.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from embedded.layout import Layout
from onprem_agents.errors import EnvironmentProblem
from tools.read_release.wheel import download, unpack


def python_files(version: str) -> Path:
    """Return the folder in which the package `vllm` of that release lies. Raises `EnvironmentProblem`."""
    folder = Layout.default().cache / "vllm-python" / version
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        unpacked = Path(scratch, "unpacked")
        told = unpack(download(version, Path(scratch)), unpacked)
        if told != version:
            raise EnvironmentProblem(f"the wheel fetched for vLLM {version} is of {told}")
        shutil.move(unpacked, folder)
    return folder
