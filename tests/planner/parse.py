"""Run by the Python of an environment with vLLM: gives each argv to the option parser of `vllm serve`.

Reads a JSON list of argvs from standard input; prints for each a line of JSON: null, or what the parser said.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
from collections.abc import Sequence

from vllm.entrypoints.cli.serve import make_arg_parser, validate_parsed_serve_args
from vllm.utils.argparse_utils import FlexibleArgumentParser


def refusal(argv: Sequence[str]) -> str | None:
    """Return what vLLM has against these words, None where it takes them all."""
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
            validate_parsed_serve_args(make_arg_parser(FlexibleArgumentParser()).parse_args(list(argv)))
    except (Exception, SystemExit) as error:  # noqa: BLE001  whatever it raises is the answer
        return said.getvalue()[-400:] or f"{type(error).__name__}: {error}"
    return None


if __name__ == "__main__":
    for words in json.load(sys.stdin):
        sys.stdout.write(json.dumps(refusal(words)) + "\n")
