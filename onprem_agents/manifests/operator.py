"""The account of an agent that operates the stack: what it may do follows from what the stack declares.

It looks at every kind that the stack has in its namespace, at pods, logs and events, and never at a Secret. Whoever may
change a model server decides what its pods mount, so that goes by the servers' names, and only where the stack says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from onprem_agents.manifests.meta import Manifest, manifest
from onprem_agents.plan import OperatorPart

COMPONENT = "operator"
VERBS = ("get", "list", "watch", "create", "update", "patch", "delete")

_API = "rbac.authorization.k8s.io/v1"
_RBAC_GROUP = "rbac.authorization.k8s.io"
_LOOK = ("get", "list", "watch")
_CHANGE = ("update", "patch")
# What controllers make of the stack's objects, and what tells how they fare.
_MADE_OF_IT = (("", "pods"), ("", "pods/log"), ("", "events"), ("", "services"), ("apps", "deployments"))
# What no rule gives, told in the matrix because each would be a way around the others.
_NEVER = (
    *(("", "secrets"), ("", "pods/exec"), ("", "pods/attach"), ("", "pods/portforward")),
    *(("", "serviceaccounts/token"), ("", "namespaces"), ("", "nodes"), (_RBAC_GROUP, "clusterrolebindings")),
)
_CLUSTER_WIDE = ("namespaces", "nodes", "clusterrolebindings")
_SERVERS = ("serving.kserve.io", "inferenceservices")

Resource = tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class Allowed:
    """A line of the matrix: what the account may do with one resource, or with the one object of that name."""

    group: str
    resource: str
    name: str | None
    namespaced: bool
    verbs: tuple[str, ...]

    @property
    def full_name(self) -> str:
        """The resource as `kubectl auth can-i` takes it."""
        kind, slash, inner = self.resource.partition("/")
        return f"{f'{kind}.{self.group}'.rstrip('.')}{slash}{inner}"


def operator_access(part: OperatorPart, objects: Sequence[Manifest]) -> list[Manifest]:
    """Return ServiceAccount, Role and RoleBinding; `objects` is all else that the stack declares."""
    name = part.service_account
    subject = {"kind": "ServiceAccount", "name": name, "namespace": part.namespace}
    return [
        manifest(part, "v1", "ServiceAccount", name, component=COMPONENT, automountServiceAccountToken=False),
        manifest(part, _API, "Role", name, component=COMPONENT, rules=_rules(part, objects)),
        manifest(
            part,
            _API,
            "RoleBinding",
            name,
            component=COMPONENT,
            roleRef={"apiGroup": _RBAC_GROUP, "kind": "Role", "name": name},
            subjects=[subject],
        ),
    ]


def can_i(objects: Sequence[Manifest]) -> tuple[Allowed, ...]:
    """Return what the account may do with each resource that the stack has, read from the Role among its objects.

    Nothing where the stack has no such account.
    """
    roles = [each for each in objects if each["apiVersion"] == _API and each["kind"] == "Role"]
    if not roles:
        return ()
    rules = roles[0]["rules"]
    declared = {_resource(each): "namespace" in each["metadata"] for each in objects}
    asked = declared | {each: each[1] not in _CLUSTER_WIDE for each in (*_MADE_OF_IT, *_NEVER)}
    lines: list[tuple[Resource, str | None, bool]] = [
        (resource, None, namespaced) for resource, namespaced in sorted(asked.items())
    ]
    lines += [(_SERVERS, name, True) for name in _names(objects)]
    return tuple(
        Allowed(
            group=group,
            resource=resource,
            name=name,
            namespaced=namespaced,
            verbs=tuple(verb for verb in VERBS if namespaced and _allows(rules, verb, group, resource, name)),
        )
        for (group, resource), name, namespaced in lines
    )


def plural(kind: str) -> str:
    """Return the resource of a kind: its English plural, as Kubernetes and its extensions name theirs."""
    name = kind.lower()
    if name.endswith("s"):
        return f"{name}es"
    return f"{name[:-1]}ies" if re.search("[^aeiou]y$", name) else f"{name}s"


def _rules(part: OperatorPart, objects: Sequence[Manifest]) -> list[Manifest]:
    own = {_resource(each) for each in objects if each["metadata"].get("namespace") == part.namespace}
    seen = {*own, *_MADE_OF_IT} - {*_NEVER}
    rules = [
        {
            "apiGroups": [group],
            "resources": sorted(resource for of, resource in seen if of == group),
            "verbs": [*_LOOK],
        }
        for group in sorted({group for group, _ in seen})
    ]
    if part.updates_models:
        group, resource = _SERVERS
        named = {"apiGroups": [group], "resources": [resource], "resourceNames": [*_names(objects)]}
        rules.append({**named, "verbs": [*_CHANGE]})
    return rules


def _resource(each: Manifest) -> Resource:
    group, slash, _ = str(each["apiVersion"]).rpartition("/")
    return (group if slash else "", plural(each["kind"]))


def _names(objects: Iterable[Manifest]) -> Iterator[str]:
    yield from (str(each["metadata"]["name"]) for each in objects if _resource(each) == _SERVERS)


def _allows(rules: Sequence[Any], verb: str, group: str, resource: str, name: str | None) -> bool:
    return any(
        group in rule["apiGroups"]
        and resource in rule["resources"]
        and verb in rule["verbs"]
        and ("resourceNames" not in rule or name in rule["resourceNames"])
        for rule in rules
    )
