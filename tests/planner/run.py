"""Runs a script of this folder in the Python of an environment with vLLM."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

_LIMIT_SECONDS = 3600


def answers_of(python: str, script: str, question: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the lines that the script answers a question with."""
    done = subprocess.run(
        [python, str(Path(__file__).with_name(script))],
        input=json.dumps(question),
        capture_output=True,
        text=True,
        check=False,
        timeout=_LIMIT_SECONDS,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return [json.loads(line) for line in done.stdout.splitlines()]
