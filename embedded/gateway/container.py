"""What a kubelet makes of a Deployment, its ConfigMap and its Secrets: words, environment and files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from onprem_agents.manifests import Manifest


@dataclass(frozen=True, kw_only=True)
class Container:
    """The one container of a Deployment. `files` are texts by their path in it; `port` is the first it names."""

    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    files: Mapping[str, str]
    port: int
    health_path: str


def container(objects: Iterable[Manifest], keys: Mapping[str, str]) -> Container:
    """Return the container of the one Deployment among `objects`.

    `keys` has the value of each Secret that the environment refers to, by the Secret's name: what is rendered
    holds none.
    """
    by_kind: dict[str, dict[str, Manifest]] = {}
    for each in objects:
        by_kind.setdefault(each["kind"], {})[each["metadata"]["name"]] = each
    (deployment,) = by_kind["Deployment"].values()
    pod = deployment["spec"]["template"]["spec"]
    (spec,) = pod["containers"]
    texts = {
        volume["name"]: by_kind["ConfigMap"][volume["configMap"]["name"]]["data"]
        for volume in pod["volumes"]
        if "configMap" in volume
    }
    return Container(
        arguments=tuple(spec.get("args", ())),
        environment={entry["name"]: _value(entry, keys) for entry in spec["env"]},
        files={
            mount["mountPath"]: texts[mount["name"]][mount["subPath"]]
            for mount in spec["volumeMounts"]
            if mount["name"] in texts
        },
        port=spec["ports"][0]["containerPort"],
        health_path=spec["readinessProbe"]["httpGet"]["path"],
    )


def _value(entry: Mapping[str, Any], keys: Mapping[str, str]) -> str:
    return str(entry["value"] if "value" in entry else keys[entry["valueFrom"]["secretKeyRef"]["name"]])
