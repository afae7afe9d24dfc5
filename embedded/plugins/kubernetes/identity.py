"""Which object a resource stands for: kind, scope, name and id."""

from __future__ import annotations

from dataclasses import dataclass

from embedded.plugins.kubernetes.wire import Object

_REFUSED = {
    "helm.sh": "Helm charts",
    "kustomize": "Kustomize folders",
    "yaml": "YAML files as components",
}


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Kind and name of an object; `namespace` is empty for cluster-scoped kinds.

    `is_patch`: the resource is a `…Patch`, which sets some fields of an object that it does not own.
    """

    api_version: str
    kind: str
    name: str
    namespace: str
    is_patch: bool

    @property
    def group(self) -> str:
        return self.api_version.rpartition("/")[0]

    @property
    def id(self) -> str:
        """The resource's id in the state: `namespace/name`, or `name` for cluster-scoped kinds."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"


def urn_type(urn: str) -> str:
    """Return the type token of a URN: `kubernetes:core/v1:ConfigMap` without the parents' types."""
    return urn.split("::")[2].rpartition("$")[2]


def urn_name(urn: str) -> str:
    """Return the resource's name in a URN."""
    return urn.split("::", 3)[3]


def identify(urn: str, body: Object, resource_id: str = "") -> Identity:
    """Return whom `body` describes; `resource_id` fills in what it leaves open (imports, reads).

    Raises ValueError for types that this stand-in does not serve.
    """
    _, module, type_name = urn_type(urn).split(":")
    if what := _REFUSED.get(module.partition("/")[0]):
        raise ValueError(
            f"this stand-in for the Kubernetes provider does not do {what}; declare the objects themselves,"
            " or install the official provider with `pulumi plugin install resource kubernetes`"
        )
    kind = str(body.get("kind") or "") or type_name.removesuffix("Patch")
    api_version = str(body.get("apiVersion") or "") or module.removeprefix("core/")
    if kind.endswith("List") and isinstance(body.get("items"), list):
        raise ValueError(f"{kind} cannot be created; declare its items as resources of their own")
    found = body.get("metadata")
    metadata = found if isinstance(found, dict) else {}
    id_namespace, _, id_name = resource_id.rpartition("/")
    return Identity(
        api_version=api_version,
        kind=kind,
        name=id_name or str(metadata.get("name") or ""),
        namespace=id_namespace or ("" if resource_id else str(metadata.get("namespace") or "")),
        is_patch=type_name == f"{kind}Patch",
    )
