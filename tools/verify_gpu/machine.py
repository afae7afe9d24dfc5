"""The GPUs of this machine and the vLLM that is installed here."""

from __future__ import annotations

import subprocess
import time
from dataclasses import dataclass

from embedded.gateway import real_vllm
from embedded.gateway.real_vllm import PYTHON, Vllm
from onprem_agents.catalog import Accelerator, load_catalog
from onprem_agents.errors import EnvironmentProblem
from onprem_agents.sizing import accelerator_named

_QUERY = ("nvidia-smi", "--query-gpu=name,memory.total,memory.used", "--format=csv,noheader,nounits")
_SECONDS = 30
SETTLE_SECONDS = 20.0
_STEP_SECONDS = 1.0
_MIB_PER_GIB = 1024
# An idle driver takes up to about 0.6 GiB of a data centre GPU; more than this is another program's.
_IDLE_MIB = 1024
_PURPOSE = "this starts the real vLLM on the GPU"
_INSTALL = f"install vLLM for CUDA (pip install vllm) and put it on PATH, or set {PYTHON} to its Python"


@dataclass(frozen=True, kw_only=True)
class Machine:
    """`gpus` alike GPUs, and the vLLM to start on them. `printed` is the name that the driver gives them."""

    accelerator: Accelerator
    gpus: int
    printed: str
    vllm: Vllm


def found_machine() -> Machine:
    """Return this machine. Raises `EnvironmentProblem` where GPU, driver or vLLM is missing, or a GPU is in use."""
    lines = _gpus()
    names = {name for name, _, _ in lines}
    if len(names) > 1:
        raise EnvironmentProblem(
            f"this machine has unlike GPUs ({', '.join(sorted(names))}), and a plan is for alike ones: run this in a "
            "container that sees those alone"
        )
    busy = [str(at) for at, (_, _, used) in enumerate(lines) if used > _IDLE_MIB]
    if busy:
        raise EnvironmentProblem(
            f"GPU {', '.join(busy)} already holds {max(used for _, _, used in lines)} MiB of another program: "
            "figures would be its as well; stop it first"
        )
    name, total_mib, _ = lines[0]
    total_gib = total_mib / _MIB_PER_GIB
    accelerator = accelerator_named(name, load_catalog().accelerators, total_gib=total_gib)
    if accelerator is None:
        raise EnvironmentProblem(
            f"nvidia-smi tells a GPU that the catalogue can't size: {name}, {total_mib} MiB"
        )
    vllm = real_vllm.found(purpose=_PURPOSE, install=_INSTALL)
    return Machine(accelerator=accelerator, gpus=len(lines), printed=name, vllm=vllm)


def settled(seconds: float = SETTLE_SECONDS) -> None:
    """Wait until no GPU holds more than an idle driver takes, or that long: the next figures should be its own."""
    until = time.monotonic() + seconds
    while any(used > _IDLE_MIB for _, _, used in _gpus()) and time.monotonic() < until:
        time.sleep(_STEP_SECONDS)


def _gpus() -> list[tuple[str, int, int]]:
    """Return name, MiB in all and MiB in use of each GPU."""
    try:
        said = subprocess.run(_QUERY, capture_output=True, text=True, check=False, timeout=_SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EnvironmentProblem(
            f"nvidia-smi, which tells the GPUs, cannot be run ({error}): run this on a machine with an NVIDIA GPU and "
            "its driver"
        ) from error
    if said.returncode != 0 or not said.stdout.strip():
        told = (said.stdout + said.stderr).strip().splitlines() or ["no word"]
        raise EnvironmentProblem(
            f"nvidia-smi tells no GPU ({told[-1]}): run this on a machine with an NVIDIA GPU"
        )
    return [_read(line) for line in said.stdout.strip().splitlines()]


def _read(line: str) -> tuple[str, int, int]:
    words = [word.strip() for word in line.split(",")]
    try:
        return words[0], int(words[1]), int(words[2])
    except (IndexError, ValueError):
        raise EnvironmentProblem(
            f"nvidia-smi answered {line!r} where name, total and used MiB are due; a MIG slice tells no memory, "
            "give this the whole GPU"
        ) from None
