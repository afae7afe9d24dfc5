"""CustomResourceDefinitions from the folders of the pinned modules, installed by what a stack declares."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from embedded.kube import KubeWriter
from embedded.toolchain.data_modules import module_version
from onprem_agents.errors import ClusterError, EnvironmentProblem

_DIGEST = "embedded.onprem/digest"
_VERSION = "app.kubernetes.io/version"
_PATH = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
# Metadata alone: the definitions themselves are megabytes (Kubernetes API concepts, read 2026-11).
_METADATA = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
_AT_ONCE = 8
_SERVED_SECONDS = 180.0
_POLL_SECONDS = 0.2

# Group of definitions -> module and folders that hold them (versions as pinned, folders read 2026-11).
SOURCES: dict[str, tuple[str, tuple[str, ...]]] = {
    "kserve": (
        "github.com/kserve/kserve",
        ("config/crd/full", "config/crd/full/clusterstoragecontainer", "config/crd/full/localmodel"),
    ),
    "gateway-api": ("sigs.k8s.io/gateway-api", ("config/crd/standard",)),
    "envoy-gateway": ("github.com/envoyproxy/gateway", ("charts/gateway-crds-helm/templates/generated",)),
    "inference-extension": ("sigs.k8s.io/gateway-api-inference-extension", ("config/crd/bases",)),
    "leader-worker-set": ("sigs.k8s.io/lws", ("config/crd/bases",)),
    "keda": ("github.com/kedacore/keda/v2", ("config/crd/bases",)),
    "kueue": ("sigs.k8s.io/kueue", ("config/components/crd/bases",)),
    "cert-manager": ("github.com/cert-manager/cert-manager", ("deploy/crds",)),
    "ai-gateway": ("github.com/envoyproxy/ai-gateway", ("manifests/charts/ai-gateway-crds-helm/templates",)),
}


@dataclass(frozen=True, kw_only=True)
class Definition:
    """One definition as text: parsing two megabytes of YAML in Python takes longer than all the rest."""

    name: str
    group: str
    kind: str
    digest: str
    text: str


def ensure(
    client: KubeWriter,
    groups: Collection[str],
    module: Callable[[str], Path],
    tell: Callable[[str], None],
    *,
    kinds: Collection[str] = (),
) -> int:
    """Install the groups' definitions that are missing or changed and wait until all are served.

    With `kinds` those alone. Returns how many were installed.
    """
    found = [definition for group in sorted(groups) for definition in definitions(group, module)]
    wanted = [definition for definition in found if not kinds or definition.kind in kinds]
    present = _present(client)
    missing = [each for each in wanted if present.get(each.name, ("", ""))[0] != each.digest]
    if not missing:
        return 0
    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        for count, _ in enumerate(pool.map(lambda each: _install(client, each, present), missing), start=1):
            tell(f"{count} of {len(missing)} definitions sent")
    _wait_served(client, wanted)
    return len(missing)


def definitions(group: str, module: Callable[[str], Path]) -> Iterator[Definition]:
    """Yield the definitions of a group; EnvironmentProblem when its folder holds none."""
    if group not in SOURCES:
        raise EnvironmentProblem(
            f"no CustomResourceDefinitions are known for {group!r}; known: {', '.join(SOURCES)}"
        )
    name, folders = SOURCES[group]
    root = module(name)
    found = 0
    for folder in folders:
        for file in sorted((root / folder).glob("*.yaml")):
            for text in _documents(file):
                found += 1
                yield _definition(text, module_version(name))
    if not found:
        raise EnvironmentProblem(
            f"{root} holds no CustomResourceDefinition for {group}; delete it to fetch it again"
        )


def _documents(file: Path) -> Iterator[str]:
    # Charts wrap their definitions in template lines of their own.
    lines = [line for line in file.read_text(encoding="utf-8").splitlines() if not line.startswith("{{")]
    for text in re.split(r"^---.*$", "\n".join(lines), flags=re.MULTILINE):
        if re.search(r"^kind: CustomResourceDefinition$", text, re.MULTILINE):
            yield text


def _definition(text: str, version: str) -> Definition:
    digest = hashlib.sha256(f"{version}\n{text}".encode()).hexdigest()[:32]
    metadata, separator, rest = text.partition("\nmetadata:\n")
    rest = _with(rest, "annotations", f"{_DIGEST}: {digest}")
    # Charts label theirs with the release that they are of; a cluster tells it by nothing else.
    rest = _with(rest, "labels", f'{_VERSION}: "{version}"')
    return Definition(
        name=_field(rest, 2, "name"),
        group=_field(rest, 2, "group"),
        kind=_field(rest, 4, "kind"),
        digest=digest,
        text=metadata + separator + rest,
    )


def _with(metadata: str, key: str, entry: str) -> str:
    """Return the text of an object's metadata with one more label or annotation."""
    head = f"  {key}:\n    {entry}\n"
    if re.match(rf"(  .*\n)*?  {key}:\n", metadata):
        return metadata.replace(f"  {key}:\n", head, 1)
    return head + metadata


def _field(text: str, indent: int, key: str) -> str:
    found = re.search(rf"^ {{{indent}}}{key}: [\"']?([\w.-]+)[\"']?$", text, re.MULTILINE)
    if found is None:
        raise EnvironmentProblem(f"a CustomResourceDefinition has no {key}: {text[:200]!r}")
    return found.group(1)


def _present(client: KubeWriter) -> dict[str, tuple[str, str]]:
    """Return digest and resource version of each installed definition by name."""
    answer = client.request("GET", _PATH, name="CustomResourceDefinitions", headers={"Accept": _METADATA})
    return {
        item["metadata"]["name"]: (
            item["metadata"].get("annotations", {}).get(_DIGEST, ""),
            item["metadata"]["resourceVersion"],
        )
        for item in answer["items"] or []
    }


def _install(client: KubeWriter, definition: Definition, present: dict[str, tuple[str, str]]) -> None:
    label = f"CustomResourceDefinition {definition.name}"
    headers = {"Content-Type": "application/yaml", "Accept": _METADATA.replace("MetadataList", "Metadata")}
    text = definition.text
    if definition.name not in present:
        client.request("POST", _PATH, name=label, body=text, headers=headers)
        return
    version = present[definition.name][1]
    text = text.replace("\nmetadata:\n", f'\nmetadata:\n  resourceVersion: "{version}"\n', 1)
    client.request("PUT", f"{_PATH}/{definition.name}", name=label, body=text, headers=headers)


def _wait_served(client: KubeWriter, wanted: list[Definition]) -> None:
    deadline = time.monotonic() + _SERVED_SECONDS
    while True:
        served = {(resource.group, resource.kind) for resource in client.resources(refresh=True)}
        left = [each.name for each in wanted if (each.group, each.kind) not in served]
        if not left:
            return
        if time.monotonic() >= deadline:
            raise ClusterError(
                f"not served {_SERVED_SECONDS:g} s after they were installed: {', '.join(left)}"
            )
        time.sleep(_POLL_SECONDS)
