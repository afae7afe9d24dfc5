"""Where a wheel comes from, and the part of it that is read."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

from onprem_agents.errors import EnvironmentProblem

# manylinux tags of glibc 2.17 to 2.39: releases of 2025 and 2026 carry 2.24, 2.28, 2.31 and 2.35.
_PLATFORMS = tuple(f"manylinux_2_{minor}_x86_64" for minor in range(39, 16, -1))


def download(version: str, folder: Path) -> Path:
    """Download the Linux wheel of a release, without what it depends on. Raises EnvironmentProblem."""
    argv = [
        *(sys.executable, "-m", "pip", "download", f"vllm=={version}", "--no-deps", "--quiet"),
        *(
            "--disable-pip-version-check",
            "--only-binary",
            ":all:",
            "--python-version",
            "3.12",
            "--dest",
            str(folder),
        ),
        *(word for platform in _PLATFORMS for word in ("--platform", platform)),
    ]
    result = subprocess.run(argv, capture_output=True, text=True, check=False)
    wheels = sorted(folder.glob("vllm-*.whl"))
    if result.returncode != 0 or not wheels:
        told = (result.stderr.strip() or "pip said nothing").splitlines()[-1]
        raise EnvironmentProblem(f"pip can't download the wheel of vLLM {version}: {told}")
    return wheels[0]


def unpack(wheel: Path, folder: Path) -> str:
    """Unpack Python files and metadata, a few percent of a wheel; return the version that the wheel tells."""
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if name.endswith((".py", "/METADATA"))]
        archive.extractall(folder, members=names)  # noqa: S202  zipfile keeps members below the folder
    metadata = next(folder.glob("vllm-*.dist-info/METADATA"), None)
    lines = metadata.read_text(encoding="utf-8").splitlines() if metadata is not None else []
    versions = [line.removeprefix("Version: ") for line in lines if line.startswith("Version: ")]
    if not versions:
        raise EnvironmentProblem(f"{wheel} is no wheel of vLLM: it tells no version")
    return versions[0].partition("+")[0]


def templates_in(source: Path) -> list[str]:
    """Return the chat templates below `examples` of a source archive or tree, relative to that folder."""
    if source.is_dir():
        names = [str(path.relative_to(source)) for path in source.rglob("*.jinja")]
    else:
        with tarfile.open(source) as archive:
            names = [name.partition("/")[2] for name in archive.getnames()]
    below = [name.removeprefix("examples/") for name in names if name.startswith("examples/")]
    return sorted(name for name in below if name.endswith(".jinja") and not name.startswith("pooling/"))
