"""Admission: the policies that the API server itself asks of each object of some namespaces.

`admission.json` holds them, made from the policy pack; here they get names, namespaces, settings and what is done.
"""

from __future__ import annotations

import copy
import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

from onprem_agents.manifests.meta import Manifest, labels
from onprem_agents.plan import PlatformPlan
from onprem_agents.stack.labels import PREFIX as LABEL_PREFIX

Mode = Literal["warn", "enforce"]
Template = Mapping[str, Any]

PREFIX = "onprem-agents"
"""How the names of all that is cluster-wide here begin."""

_API = "admissionregistration.k8s.io/v1"
_EXEMPTIONS = f"{LABEL_PREFIX}/exemptions"
_NAMESPACE_LABEL = "kubernetes.io/metadata.name"
_DENIES = ["Deny"]
_TELLS = ["Warn", "Audit"]


@dataclass(frozen=True, kw_only=True)
class Admission:
    """What the policies of one cluster say: where they hold, what is done, and their settings.

    `prefix` begins the names of the objects, which are cluster-wide. `levels` and `configured` (settings and
    `exemptions` by policy) are those of a configuration of the policies, `told` what a stack tells its twins.
    """

    prefix: str
    namespaces: tuple[str, ...]
    mode: Mode
    levels: Mapping[str, str] = field(default_factory=dict)
    configured: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    told: Mapping[str, Any] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)


@cache
def _templates() -> Template:
    text = Path(__file__).with_name("admission.json").read_text(encoding="utf-8")
    templates: Template = json.loads(text)
    return templates


def policies_with_twin() -> tuple[str, ...]:
    """Return the names of the policies that the API server can ask itself."""
    return tuple(str(twin["policy"]) for twin in _templates()["twins"])


def told_by(manifests: Sequence[Mapping[str, Any]], *, longest_turn_seconds: int) -> dict[str, Any]:
    """Return what the objects of a stack tell the twins: its servers, what its key checks are on, their Secrets."""
    servers = [each["metadata"]["name"] for each in manifests if each["kind"] == "InferenceService"]
    checks = [
        each["spec"]
        for each in manifests
        if each["kind"] == "SecurityPolicy" and "apiKeyAuth" in each["spec"]
    ]
    guarded = [f"{target['kind']}/{target['name']}" for check in checks for target in check["targetRefs"]]
    secrets = [ref["name"] for check in checks for ref in check["apiKeyAuth"]["credentialRefs"]]
    return {
        "servers": servers,
        "guarded": guarded,
        "keySecrets": secrets,
        "longestTurnSeconds": longest_turn_seconds,
    }


def stack_admission(plan: PlatformPlan, objects: Sequence[Manifest]) -> list[Manifest]:
    """Return what makes the API server ask the policies in a stack's namespace, nothing where it asks for none.

    `objects` is what the stack declares.
    """
    settings = plan.settings.admission
    if settings is None:
        return []
    configured: dict[str, dict[str, Any]] = {
        "registries-are-allowed": {"allowedRegistries": list(settings.allowed_registries)},
        "images-are-pinned": {"requireDigest": settings.require_digest},
    }
    for exemption in settings.exemptions:
        of_policy = configured.setdefault(exemption.policy, {})
        of_policy.setdefault("exemptions", []).append(exemption.model_dump())
    return admission_policies(
        Admission(
            prefix=f"{PREFIX}-{plan.namespace}",
            namespaces=(plan.namespace,),
            mode=settings.mode,
            levels=dict.fromkeys(settings.disabled, "disabled"),
            configured=configured,
            told=told_by(objects, longest_turn_seconds=plan.settings.timeouts.longest_turn_seconds),
            labels=labels(plan, "admission"),
        )
    )


def admission_policies(admission: Admission, *, today: dt.date | None = None) -> list[Manifest]:
    """Return a ValidatingAdmissionPolicy and its binding for each policy with a twin.

    Left out is what is switched off, and what could find nothing because nothing tells its settings. An exemption
    counts where its day has not passed when this is called: the API server knows no dates.
    """
    day = dt.datetime.now(dt.UTC).date() if today is None else today
    found: list[Manifest] = []
    for twin in _templates()["twins"]:
        level = admission.levels.get(twin["policy"], twin["level"])
        told = {**admission.told, **admission.configured.get(twin["policy"], {})}
        empty = [name for name in twin["settings"] if name != "requireDigest" and not told.get(name)]
        if level != "disabled" and not empty:
            found += _objects(admission, twin, level, told, day)
    return found


def _objects(
    admission: Admission, twin: Template, level: str, told: Mapping[str, Any], today: dt.date
) -> Iterator[Manifest]:
    name = f"{admission.prefix}-{twin['policy']}"
    spec = copy.deepcopy(twin["spec"])
    if twin["aboutPods"]:
        spec["variables"] = [*copy.deepcopy(_templates()["scope"]), *spec["variables"]]
    denies = level == "mandatory" and admission.mode == "enforce"
    # What an expression can't judge is denied where people rely on it, and passes where it is advice alone.
    spec["failurePolicy"] = "Fail" if denies else "Ignore"
    spec["matchConstraints"]["namespaceSelector"] = {
        "matchExpressions": [
            {"key": _NAMESPACE_LABEL, "operator": "In", "values": list(admission.namespaces)}
        ]
    }
    for variable in spec["variables"]:
        if variable["name"] in twin["settings"] and variable["name"] in told:
            variable["expression"] = _literal(told[variable["name"]])
    exemptions = [each for each in told.get("exemptions", ()) if _day_of(each["until"]) >= today]
    annotations = {"kubernetes.io/description": twin["description"]}
    if exemptions:
        exempted = [str(each["resource"]) for each in exemptions]
        spec["matchConditions"].append({"name": "not-exempted", "expression": _not_in(exempted)})
        annotations[_EXEMPTIONS] = "; ".join(
            f"{each['resource']} until {_day_of(each['until'])}: {each['reason']}" for each in exemptions
        )
    metadata: dict[str, Any] = {"name": name, "annotations": annotations}
    if admission.labels:
        metadata["labels"] = dict(admission.labels)
    yield {
        "apiVersion": _API,
        "kind": "ValidatingAdmissionPolicy",
        "metadata": metadata,
        "spec": spec,
    }
    yield {
        "apiVersion": _API,
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": copy.deepcopy(metadata),
        "spec": {"policyName": name, "validationActions": list(_DENIES if denies else _TELLS)},
    }


def _not_in(exempted: Sequence[str]) -> str:
    name = 'object.metadata.?name.orValue("")'
    full = f'request.kind.kind + " " + request.namespace + "/" + {name}'
    return f"!({name} in {_literal(exempted)} || ({full}) in {_literal(exempted)})"


def _literal(value: Any) -> str:
    """Return the CEL of a number, a switch, or a list of texts; a registry ends without a slash."""
    if isinstance(value, list | tuple):
        return json.dumps([str(each).rstrip("/") for each in value], ensure_ascii=False)
    return json.dumps(value)


def _day_of(value: Any) -> dt.date:
    return value if isinstance(value, dt.date) else dt.date.fromisoformat(str(value))
