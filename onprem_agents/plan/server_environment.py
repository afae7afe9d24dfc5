"""The variables of a model server: those that the product sets, and those that a stack adds."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from onprem_agents.catalog import Catalog
from onprem_agents.errors import Cause, Problem
from onprem_agents.plan.timeouts import KEEP_ALIVE_SECONDS, SERVER_IDLE_SECONDS
from onprem_agents.stack.section_reader import shown
from onprem_agents.stack.settings import ModelRole
from onprem_agents.vllm import field_of, option_of
from onprem_agents.vllm.keep_alive import INTERVAL_VARIABLE

ENVIRONMENT: Mapping[str, str] = {
    "HOME": "/tmp",  # noqa: S108  an emptyDir of the pod's own: caches must be writable and private
    "USER": "vllm",  # user 1000 has no entry in the image's passwd, and torch asks for its name
    "LOGNAME": "vllm",
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "VLLM_NO_USAGE_STATS": "1",
    "VLLM_DO_NOT_TRACK": "1",
    "DO_NOT_TRACK": "1",
    # Answers per request; the default of 16384 lets one request take the server (CVE-2026-34756).
    "VLLM_MAX_N_SEQUENCES": "8",
    "VLLM_MEDIA_URL_ALLOW_REDIRECTS": "0",
    "VLLM_HTTP_TIMEOUT_KEEP_ALIVE": str(SERVER_IDLE_SECONDS),
    INTERVAL_VARIABLE: str(KEEP_ALIVE_SECONDS),
}
"""What each server gets (vLLM 0.33.0, vllm/envs.py; Hugging Face hub 1.x; read 2026-11)."""

# Words of which a name is made that holds a secret.
_SECRET = re.compile(
    r"(^|_)(API_?KEY|ACCESS_KEY|PRIVATE_KEY|SECRET|TOKEN|PASSWORD|PASSWD|CREDENTIALS?)(_|$)", re.IGNORECASE
)


def environment_problems(role: ModelRole, *, where: str, catalog: Catalog) -> Iterator[Problem]:
    """Yield the variables that a stack may not set: secret, the product's own, read by nobody, or harmful."""
    for name, value in role.env.items():
        told = _refusal(name, where, catalog)
        if told is not None:
            cause, why, fix = told
            secret = _SECRET.search(name) is not None
            yield Problem(
                where=f"{where}.env",
                cause="secret-in-plain-text" if secret else cause,
                found=f"{name} (its value is not shown)" if secret else f"{name}={shown(value)}",
                why=why,
                fix=fix,
            )


def environment_notes(role: ModelRole, *, where: str, catalog: Catalog) -> Iterator[str]:
    """Yield what must be known of the variables that are taken."""
    for name in role.env:
        entry = catalog.server_variable(name)
        if entry is not None and entry.note is not None:
            yield f"{where}.env {name}: {entry.note}"


def _refusal(name: str, where: str, catalog: Catalog) -> tuple[Cause, str, str] | None:
    """Return of which kind the fault of a variable is, why it cannot be set, and what to do."""
    out = f"take {name} out"
    entry = catalog.server_variable(name)
    key = setting_key(entry.setting, where) if entry is not None and entry.setting is not None else None
    if name in ENVIRONMENT:
        return "contradiction", f"each server gets {name}={ENVIRONMENT[name]}", out
    if entry is not None and entry.refused:
        instead = entry.instead or (f"set {key}" if key is not None else None)
        why = entry.why or f"{key} says it"
        return "contradiction", why, out if instead is None else f"{out} and {instead}"
    if _SECRET.search(name):
        why = "variables stand in the clear in the stack file, its state and the cluster"
        download = "the credentials of a download belong into the Secret of platform.serving.storageSecret"
        return (
            "secret-in-plain-text",
            why,
            f"{out}: {download}, the servers' key is onprem-coding-agents:serverKey",
        )
    return _option(name, where, catalog)


def _option(name: str, where: str, catalog: Catalog) -> tuple[Cause, str, str] | None:
    """Return what is wrong with a variable that is called like an option of vLLM: none of them is read so."""
    field = field_of("--" + name.lower().replace("_", "-"))
    if field is None:
        field = field_of("--" + name.removeprefix("VLLM_").lower().replace("_", "-"))
        if field is None or _setting(option_of(field), catalog) is None:
            return None
    option = option_of(field)
    setting = _setting(option, catalog)
    instead = (
        f"set {setting_key(setting, where)}"
        if setting is not None
        else f"write {option} into {where}.extraArgs"
    )
    why = f"nobody reads it: vLLM takes it as the option {option}"
    return "unknown-key", why, f"take {name} out and {instead}"


def _setting(option: str, catalog: Catalog) -> str | None:
    entry = catalog.server_option(option)
    return None if entry is None else entry.setting


def setting_key(setting: str, where: str) -> str:
    """Return the whole key of a setting that the catalogue names: one of the role at `where`, or of the stack."""
    return setting if ":" in setting or "." in setting else f"{where}.{setting}"
