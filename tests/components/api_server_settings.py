"""Another value of each setting of the operator and of admission, and the stack in which it says something."""

from __future__ import annotations

from typing import Any

_EXEMPTION = {
    "policy": "pods-are-restricted",
    "resource": "Deployment agents/a",
    "reason": "a trial",
    "until": "2099-12-31",
}
_ASKED: dict[str, Any] = {"admission": {}}
_EXEMPTED: dict[str, Any] = {"admission": {"exemptions": [_EXEMPTION]}}

API_SERVER: dict[str, tuple[Any, dict[str, Any]]] = {
    "operator": ({}, {}),
    "operator.serviceAccount": ("helper", {"operator": {}}),
    "operator.updatesModels": (True, {"operator": {}}),
    "admission": ({}, {}),
    "admission.mode": ("warn", _ASKED),
    "admission.disabled": (["images-are-pinned"], _ASKED),
    "admission.allowedRegistries": (["registry.example.internal"], _ASKED),
    "admission.requireDigest": (True, _ASKED),
    "admission.exemptions": ([_EXEMPTION], _ASKED),
    "admission.exemptions.policy": ("images-are-pinned", _EXEMPTED),
    "admission.exemptions.resource": ("Deployment agents/b", _EXEMPTED),
    "admission.exemptions.reason": ("another", _EXEMPTED),
    "admission.exemptions.until": ("2099-11-30", _EXEMPTED),
}
