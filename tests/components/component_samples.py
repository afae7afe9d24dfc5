"""Arguments of each component as a program writes them: as few as there may be."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import pulumi

import components
from components.component import Component
from tests.components.recording import ALICE, BOB, SERVER
from tests.unit.contract_samples import CONTRACT

SERVER_ARGUMENTS: dict[str, Any] = {
    "role": "coder",
    "model": "Qwen/Qwen3.6-27B-FP8",
    "accelerator": "L40S",
    "gpus_per_node": 2,
    "namespace": "agents",
}
ANY_SERVER = {"name": "coder", "service": "vllm", "port": 8000}
MINIMAL: dict[str, dict[str, Any]] = {
    "GpuNodePool": {"accelerator": "L40S", "namespace": "agents"},
    "InferenceService": SERVER_ARGUMENTS,
    "ExternalIngress": {
        "host": "agents.example.internal",
        "tls": {"secret_name": "agents-tls"},
        "servers": [ANY_SERVER],
        "namespace": "agents",
    },
    "GatewayAuth": {
        "ingress": {"namespace": "agents", "gateway": "coding-agents", "routes": ["coding-agents-agents"]},
        "developer_keys": {"alice": ALICE, "bob": [BOB]},
    },
    "TranslationProxy": {
        "servers": [ANY_SERVER],
        "software": "litellm",
        "namespace": "agents",
        "server_key": SERVER,
    },
    "ServiceCheck": {"connection": CONTRACT, "developer_key": ALICE},
    "CodingPlatform": {
        "hardware": {"accelerator": "L40S", "gpus_per_node": 2, "nodes": 2},
        "models": [{"role": "coder", "model": "Qwen/Qwen3.6-27B-FP8", "context": 65536}],
        "access": {
            "host": "agents.example.internal",
            "tls": {"secret_name": "agents-tls"},
            "developers": {"alice": {}, "bob": {}},
        },
        "developer_keys": {"alice": ALICE, "bob": [BOB]},
        "server_key": SERVER,
    },
}
"""Every component alone, with the arguments that it must have and no other."""

OWN = {
    "GpuNodePool": {"kubernetes:scheduling.k8s.io/v1:PriorityClass"},
    "InferenceService": {"kubernetes:serving.kserve.io/v1beta1:InferenceService"},
    "ExternalIngress": {
        "kubernetes:gateway.networking.k8s.io/v1:Gateway",
        "kubernetes:gateway.networking.k8s.io/v1:HTTPRoute",
        "kubernetes:gateway.envoyproxy.io/v1alpha1:SecurityPolicy",
    },
    "GatewayAuth": {
        "kubernetes:core/v1:Secret",
        "kubernetes:gateway.envoyproxy.io/v1alpha1:SecurityPolicy",
    },
    "TranslationProxy": {"kubernetes:apps/v1:Deployment", "kubernetes:core/v1:Service"},
    "ServiceCheck": {"onprem-coding-agents:index:ServiceCheck"},
    "CodingPlatform": {"kubernetes:core/v1:Namespace", "kubernetes:core/v1:Secret"},
}
"""Objects by which each is known."""


def changed(noun: str, *path: str | int, value: Any) -> dict[str, Any]:
    """Return a component's arguments with one of them changed or added."""
    arguments = deepcopy(MINIMAL[noun])
    *above, last = path
    place: Any = arguments
    for name in above:
        place = place[name]
    place[last] = value
    return arguments


def without(noun: str, name: str) -> dict[str, Any]:
    return {key: value for key, value in MINIMAL[noun].items() if key != name}


def make(
    noun: str,
    arguments: object = None,
    name: str = "it",
    opts: pulumi.ResourceOptions | None = None,
) -> Any:
    """Make a component, of its least arguments where none are given."""
    component: type[Component] = getattr(components, noun)
    given: Any = MINIMAL[noun] if arguments is None else arguments
    return component(name, given, opts)


def as_outputs(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same arguments, each as an Output."""
    return {name: pulumi.Output.from_input(value) for name, value in arguments.items()}
