"""What the doctor is asked on a machine that was set up, and what it names."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tests.agents.machine import Machine
from tests.gateway.gateway import Gateway
from tests.gateway.wrong_setups import FILES


def place(gateway: Gateway) -> str:
    return f"{gateway.host}:{gateway.port}"


def change(machine: Machine, where: str, old: str, new: str) -> None:
    """Change an agent's first file, or the named one."""
    file = machine.home / FILES.get(where, where)
    text = file.read_text()
    assert old in text, f"setup no longer writes {old!r}, so this breaks nothing"
    file.write_text(text.replace(old, new))


def examined(
    machine: Machine, gateway: Gateway, *words: str, variables: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Return what `onprem-agents doctor --json` says; its exit code must be the one that it tells."""
    done = machine.onprem(gateway, "doctor", "--json", *words, variables=variables)
    told: dict[str, Any] = json.loads(done.output)
    assert done.code == told["exitCode"], done.text
    assert "Traceback" not in done.text
    for key in (gateway.checkout.key("alice"), "sk-local"):
        assert key not in done.text
    return told


def faults(told: dict[str, Any]) -> dict[tuple[str, str], str]:
    return {(row["probe"], row["cause"]): row["fix"] for row in told["verdicts"] if row["severity"] != "ok"}
