"""What a container's words and image say of the program in it: vLLM, another one, or nothing that can be told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

from onprem_agents.vllm import HOLE, parse_argv
from onprem_agents.vllm.shell import script_of, simple_commands

from ..containers import Container, text_of
from ..graph import UNKNOWN, Value, items
from ..huggingface import huggingface_server
from ..image_release import serving_image

# What images with "vllm" in their name are beside servers of it.
_NO_SERVERS = (
    "router",
    "gateway",
    "sidecar",
    "exporter",
    "bench",
    "operator",
    "proxy",
    "ui",
    "eval",
    "client",
    "test",
)
# Other engines that take some of vLLM's options.
_OTHER_ENGINES = ("sglang", "aphrodite", "tensorrt", "text-generation-inference", "llama", "inference-sim")
# Programs that end where no server of their own starts: Ray's workers join the head's.
_NO_PROGRAMS = frozenset({"ray", "sleep", "tail", "nginx"})
# Words without which no container is looked at more closely: nearly all pods of a program have nothing to do with it.
_SIGNS = ("vllm", "huggingfaceserver", "max-model-len", "max_model_len", "gpu-memory-util", "gpu_memory_util")
# Options of vLLM that no other engine calls so.
_ITS_OPTIONS = ("max_model_len", "gpu_memory_utilization", "enable_auto_tool_choice")


def argv_of(container: Container) -> list[str]:
    """Return command and arguments of a container; HOLE for what is only known at run time."""
    return [text_of(word) for part in ("command", "args") for word in items(container.get(part))]


def hints_at_vllm(container: Container, argv: Sequence[str]) -> bool:
    """Whether anything in a container could be about vLLM."""
    image = container.get("image")
    text = " ".join((*argv, image if isinstance(image, str) else "vllm")).casefold()
    return UNKNOWN in (container.get("command"), container.get("args")) or any(
        sign in text for sign in _SIGNS
    )


def serves(container: Container, argv: list[str], env: Mapping[str, str]) -> bool:
    """Whether a container starts vLLM or KServe's Hugging Face server, by its words or by its image."""
    known = serving_image(container.get("image"))
    entrypoint = known is not None and known.starts == "huggingfaceserver" and not container.get("command")
    if huggingface_server(argv, env, by_entrypoint=entrypoint) is not None:
        return True
    return starts_vllm(argv, env) or _image_starts_vllm(container, argv)


def starts_vllm(argv: list[str], env: Mapping[str, str]) -> bool:
    """Whether exactly one command of a container starts vLLM, with whatever arguments."""
    return sum(parse_argv(words).command for words in _commands(argv, env) if script_of(words) is None) == 1


def names_vllm(image: Value) -> bool:
    """Whether an image is known to bring vLLM, or has a name like one that does."""
    if not isinstance(image, str):
        return False
    name = image.partition("@")[0].rpartition("/")[2].partition(":")[0].casefold()
    by_name = "vllm" in name and not any(word in name for word in _NO_SERVERS)
    return by_name or serving_image(image) is not None


def runs_another_program(argv: list[str], env: Mapping[str, str]) -> bool:
    """Whether it is plain that the words start something beside a vLLM server."""
    return any(
        PurePosixPath(words[0]).name in _NO_PROGRAMS or (words[0] == "vllm" and words[1:2] != ["serve"])
        for words in _commands(argv, env)
        if words
    )


def out_of_sight(container: Container, argv: list[str], env: Mapping[str, str]) -> str | None:
    """Return why a container that is to serve cannot be followed to its server, None where it can.

    Only what is written out counts: a command that is only known at run time is no reason.
    """
    unknown = UNKNOWN in (container.get("command"), container.get("args")) or HOLE in argv
    if unknown or not container.get("command") or serves(container, argv, env):
        return None
    started = " ".join(argv)[:60]
    return f"its container {container.get('name')!r} starts {started!r}, which can't be followed to a server"


def _commands(argv: list[str], env: Mapping[str, str]) -> list[list[str]]:
    script = script_of(argv)
    return [argv] if script is None else simple_commands(script[0], env, script[1])


def _image_starts_vllm(container: Container, argv: list[str]) -> bool:
    """Whether the image's own entrypoint starts vLLM with the container's arguments."""
    image = container.get("image")
    if UNKNOWN in (container.get("command"), container.get("args")) or HOLE in argv:
        return names_vllm(image)  # what it starts is only known at run time: no excuse
    if container.get("command"):
        return False
    known = serving_image(image)
    if known is not None:
        return known.starts == "vllm"
    if any(engine in str(image).casefold() for engine in _OTHER_ENGINES):
        return False
    given = parse_argv(argv).flags.given()
    return (names_vllm(image) and bool(given)) or any(name in given for name in _ITS_OPTIONS)
