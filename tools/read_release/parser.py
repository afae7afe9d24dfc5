"""The option parser of an unpacked wheel, built in a process of its own: `python parser.py WHEEL_FOLDER`.

Prints one JSON object: the actions of the parser, and the modules of vLLM that a stand-in took the place of.
"""

from __future__ import annotations

import argparse
import importlib
import json
import logging
import sys
import warnings
from collections.abc import Iterable
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

from tools.read_release.stubs import install

_MAKER = "def make_arg_parser("


def option_parser(folder: Path) -> tuple[argparse.ArgumentParser, list[str]]:
    """Return the parser of `vllm serve` in an unpacked wheel, and what was stood in for of vLLM itself."""
    command_line = _command_line(folder)
    stood_in = install(folder, needed=frozenset({"vllm.engine.arg_utils", command_line}))
    _pretend_a_gpu()
    utilities = importlib.import_module(_argparse_module(folder))
    maker = importlib.import_module(command_line).make_arg_parser
    return maker(utilities.FlexibleArgumentParser()), stood_in


def actions(parser: argparse.ArgumentParser) -> list[dict[str, object]]:
    """Return what each option takes, as plain JSON values."""
    return [
        {
            "names": action.option_strings,
            "nargs": action.nargs,
            "default": _plain(action.default),
            "choices": _choices(action.choices),
        }
        for action in parser._actions  # noqa: SLF001  argparse has no public list
        if action.option_strings and "--help" not in action.option_strings
    ]


def _choices(choices: Iterable[object] | None) -> list[str] | None:
    """Return the choices as they are written in argv, numbers in their order."""
    texts = {str(choice) for choice in choices or () if choice is not None}
    return sorted(texts, key=lambda text: (int(text) if text.isdigit() else 0, text)) if texts else None


def _plain(value: object) -> object:
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, int):  # an enum of whole numbers
        return int(value)
    return {"text": str(value), "enum": type(value).__module__.startswith("vllm") and hasattr(value, "value")}


def _command_line(folder: Path) -> str:
    """Return the module that makes the parser; it moved from release to release."""
    for file in sorted((folder / "vllm" / "entrypoints").rglob("cli_args.py")):
        if _MAKER in file.read_text(encoding="utf-8"):
            return _dotted(file, folder)
    raise LookupError(f"no cli_args.py below vllm/entrypoints says {_MAKER!r}")


def _argparse_module(folder: Path) -> str:
    for file in sorted((folder / "vllm" / "utils").rglob("*.py")):
        if "class FlexibleArgumentParser(" in file.read_text(encoding="utf-8"):
            return _dotted(file, folder)
    raise LookupError("nothing below vllm/utils defines FlexibleArgumentParser")


def _dotted(file: Path, folder: Path) -> str:
    return ".".join(file.relative_to(folder).with_suffix("").parts)


def _pretend_a_gpu() -> None:
    """Make vLLM believe in an NVIDIA GPU: some defaults ask what the server will run on."""
    platforms = importlib.import_module("vllm.platforms")
    interface = importlib.import_module("vllm.platforms.interface")
    pretended = type(
        "Pretended",
        (interface.Platform,),
        {
            "_enum": interface.PlatformEnum.CUDA,
            "device_name": "cuda",
            "device_type": "cuda",
            "dispatch_key": "CUDA",
        },
    )
    vars(platforms)["_current_platform"] = pretended()


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    made, replaced = option_parser(Path(sys.argv[1]))
    sys.stdout.write("\n" + json.dumps({"actions": actions(made), "stood_in": replaced}) + "\n")
