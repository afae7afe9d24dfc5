"""How a server's container comes to start vLLM: by words that can be read, or by a program that may have its own."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from onprem_agents.vllm.shell import script_of, simple_commands

from .containers import environment
from .graph import dig, items
from .image_release import serving_image
from .readers.commands import argv_of
from .serving import Server

# Programs that start another with the words behind them, as they are.
_LAUNCHERS = frozenset(
    {
        *("then", "else", "do", "{", "!", "if", "elif", "while", "until"),
        "exec",
        "env",
        "nohup",
        "nice",
        "tini",
        "dumb-init",
        "stdbuf",
        "time",
        "numactl",
    }
)
# Commands of a script that leave what is installed in the image alone.
_HARMLESS = frozenset(
    {
        *(
            "set",
            "export",
            "readonly",
            "local",
            "unset",
            "echo",
            "printf",
            "cd",
            "pwd",
            "ls",
            "date",
            "env",
            "cat",
        ),
        *(
            "mkdir",
            "sleep",
            "ulimit",
            "umask",
            "trap",
            "true",
            ":",
            "[",
            "[[",
            "test",
            "wait",
            "nvidia-smi",
            "hostname",
        ),
        *("fi", "for", "done", "}"),
    }
)
_MODULES = ("vllm.entrypoints.openai.api_server", "vllm.entrypoints.cli.main")
_HUGGINGFACE = "huggingfaceserver"
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=.*", re.DOTALL)
_PYTHON = re.compile(r"python[0-9.]*")
# Where Python's packages lie: what is mounted there may be another vLLM.
_PACKAGES = "-packages"


def is_followed(server: Server) -> bool:
    """Whether all words that vLLM gets are read: no entrypoint of an image that nobody knows may add or take any."""
    image = serving_image(server.container.get("image"))
    by_image = image is not None and image.starts == "vllm" and not server.container.get("command")
    return not server.unseen and (server.parsed.command or by_image)


def is_huggingfaceserver(server: Server) -> bool:
    """Whether KServe's Hugging Face server reads the words first: what neither it nor vLLM knows, it passes over."""
    image = serving_image(server.container.get("image"))
    words = argv_of(server.container)
    return _HUGGINGFACE in words or (image is not None and image.starts == _HUGGINGFACE)


def is_plainly_vllm(server: Server) -> bool:
    """Whether nothing but vLLM, in an image of its makers, reads the words: no plugin, no wrapper, no installation."""
    image = serving_image(server.container.get("image"))
    if image is None or image.starts != "vllm" or image.tags != "vllm" or not is_followed(server):
        return False
    if any(
        _PACKAGES in str(dig(mount, "mountPath")) for mount in items(server.container.get("volumeMounts"))
    ):
        return False
    argv = argv_of(server.container)
    script = script_of(argv)
    if script is None:
        return not server.container.get("command") or _starts_it(argv)
    commands = simple_commands(script[0], environment(server.container), script[1])
    return all(_starts_it(words) or _is_harmless(words) for words in commands)


def _starts_it(words: Sequence[str]) -> bool:
    name, *rest = list(_program(words)) or [""]
    if PurePosixPath(name).name == "vllm":
        return rest[:1] == ["serve"]
    python = _PYTHON.fullmatch(PurePosixPath(name).name) is not None
    return (
        python
        and "-m" in rest
        and rest[rest.index("-m") + 1 : rest.index("-m") + 2] in [[one] for one in _MODULES]
    )


def _is_harmless(words: Sequence[str]) -> bool:
    name = next(_program(words), "true")
    return PurePosixPath(name).name in _HARMLESS


def _program(words: Sequence[str]) -> Iterator[str]:
    """Yield a command's words from its program on, behind assignments and what only starts another program."""
    at = 0
    while at < len(words):
        launcher = PurePosixPath(words[at]).name in _LAUNCHERS
        passed = at > 0 and words[at].startswith("-") and PurePosixPath(words[0]).name in _LAUNCHERS
        if not (launcher or passed or _ASSIGNMENT.fullmatch(words[at])):
            break
        at += 1
    yield from words[at:]
