"""The releases of what a stack needs in a cluster, against those that were tried.

No API tells them. A controller's Deployment does by labels and image tag, a definition by labels and an annotation;
where a vendor builds its own, none may.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from onprem_agents.catalog import ClusterSoftware, load_catalog, numbers
from onprem_agents.cluster import ApiError, KubeClient
from onprem_agents.cluster.preflight.check import Check, Object
from onprem_agents.plan import PlatformPlan

_DEFINITIONS = ("apiextensions.k8s.io/v1", "CustomResourceDefinition")
_VERSION_LABEL, _CHART_LABEL = "app.kubernetes.io/version", "helm.sh/chart"
_TOLD = re.compile(r"v?(\d{1,4})\.(\d{1,4})(?:\.(\d{1,4}))?(?:[-+_].*)?")
_UNREADABLE = (403, 404)
_KSERVE = "KServe"
# The words that KServe records for the modes before 0.16; no later release does (pkg/constants/constants.go).
_OLD_WORDS = frozenset({"RawDeployment", "Serverless"})

Answer = TypeVar("Answer")


def check_versions(plan: PlatformPlan, objects: Sequence[Object], client: KubeClient) -> Iterator[Check]:
    """Yield for each piece of software that the stack needs whether its release is one that was tried."""
    served = {resource.group for resource in client.resources()}
    groups = {str(each["apiVersion"]).partition("/")[0] for each in objects}
    if plan.settings.serving.mode == "Knative":
        groups.add("serving.knative.dev")
    deployments: list[Object] = _readable(lambda: client.list("apps/v1", "Deployment"), [])
    for software in load_catalog().cluster_software:
        if software.group is not None and software.group not in groups & served:
            continue  # not needed, or told by the check of what is served
        version, place = _release(software, deployments, client)
        if version is None:
            yield from _untold(plan, software, client)
            continue
        check = _compared(software, version, f"{version} ({place})")
        yield check
        if software.name == _KSERVE and check.verdict != "missing":
            yield from _as_said(plan, version)


def _release(
    software: ClusterSoftware, deployments: Sequence[Object], client: KubeClient
) -> tuple[str | None, str]:
    """Return the release with the place that tells it, None where nothing does."""
    for found in deployments:
        metadata = found["metadata"]
        ours = software.namespace in (None, metadata.get("namespace"))
        if metadata["name"] in software.deployments and ours:
            version = _first(_of_deployment(found))
            if version is not None:
                return version, f"Deployment {metadata.get('namespace', 'default')}/{metadata['name']}"
    definition = _readable(lambda: client.find(*_DEFINITIONS, software.definition), None)
    if definition is not None:
        annotations = definition.get("metadata", {}).get("annotations") or {}
        told = [
            *_labels(definition),
            *([annotations.get(software.annotation)] if software.annotation else []),
        ]
        return _first(told), f"CustomResourceDefinition {software.definition}"
    return None, ""


def _of_deployment(found: Object) -> Iterator[str | None]:
    template = found.get("spec", {}).get("template") or {}
    for container in template.get("spec", {}).get("containers") or []:
        image = str(container.get("image", "")).partition("@")[0]
        # Beside the controller's own container there may be others, such as a proxy before its metrics.
        if container.get("name") in ("manager", found["metadata"]["name"]) or "controller" in image:
            yield image.rpartition("/")[2].partition(":")[2]
    yield from _labels(found)
    yield from _labels(template)


def _labels(found: Object) -> Iterator[str | None]:
    labels: Mapping[str, Any] = (found.get("metadata") or {}).get("labels") or {}
    yield labels.get(_VERSION_LABEL)
    chart = re.search(r"-(v?\d+\.\d+.*)$", str(labels.get(_CHART_LABEL, "")))
    yield chart[1] if chart is not None else None


def _first(told: Iterator[str | None] | Sequence[str | None]) -> str | None:
    """Return the first text that is a release, whole: v1.21 is 1.21.0."""
    for text in told:
        match = _TOLD.fullmatch(text or "")
        if match is not None:
            return ".".join(part or "0" for part in match.groups())
    return None


def _compared(software: ClusterSoftware, version: str, found: str) -> Check:
    name, upgrade = software.name, f"upgrade {software.name} to {software.newest}"
    source = f"{software.source.where}, read {software.source.read}"
    tried = f"tried are {software.tried} to {software.newest} ({source})"
    asked, newest = numbers(version), numbers(software.newest)
    if software.least is not None and asked < numbers(software.least):
        why = f"{found}: {software.refused} ({source})"
        return Check(name=name, verdict="missing", found=why, fix=upgrade)
    if asked < numbers(software.tried):
        return Check(name=name, verdict="doubtful", found=f"{found}; {tried}", fix=upgrade)
    if asked[0] > newest[0]:
        fix = (
            "see its notes on upgrades; where a vendor counts in its own way, ask which release it is made of"
        )
        return Check(name=name, verdict="doubtful", found=f"{found}; {tried}", fix=fix)
    return Check(name=name, verdict="ok", found=f"{found}; {tried}" if asked[:2] > newest[:2] else found)


def _untold(plan: PlatformPlan, software: ClusterSoftware, client: KubeClient) -> Iterator[Check]:
    """Yield what is said of software that does not tell its release; the GPU operator's nodes tell all that counts."""
    if software.group is None:
        return
    names = " -e ".join(software.deployments)
    look = (
        f"look at the image: kubectl get deployments -A -o wide | grep -e {names}"
        if names
        else "ask its owner"
    )
    fix = f"{look}; tried are {software.tried} to {software.newest}"
    if software.name == _KSERVE:
        word = _recorded_word(client)
        planned = load_catalog().kserve(plan.settings.serving.kserve)
        if word is not None and (word in _OLD_WORDS) != bool(_OLD_WORDS & set(planned.spelling.values())):
            age = "older than 0.16" if word in _OLD_WORDS else "0.16 or newer"
            yield Check(
                name=_KSERVE,
                verdict="missing",
                found=f"it recorded the mode {word}, so it is {age}; the stack is made for {planned.release}",
                fix=_line("0.15" if word in _OLD_WORDS else load_catalog().kserve(None).release),
            )
            return
        fix += "; platform.serving.kserve says it to the stack (OpenShift AI 3.0 has the words of '0.15')"
    yield Check(
        name=software.name, verdict="doubtful", found="the cluster does not tell its release", fix=fix
    )


def _recorded_word(client: KubeClient) -> str | None:
    """Return the mode that KServe recorded of a server, in its own words."""
    kinds = {each.api_version for each in client.resources() if each.kind == "InferenceService"}
    for api_version in sorted(kinds):
        for each in _servers(api_version, client):
            word = (each.get("status") or {}).get("deploymentMode")
            if word:
                return str(word)
    return None


def _servers(api_version: str, client: KubeClient) -> Sequence[Object]:
    found: list[Object] = _readable(lambda: client.list(api_version, "InferenceService"), [])
    return found


def _as_said(plan: PlatformPlan, version: str) -> Iterator[Check]:
    """Yield that the stack is made for another release of KServe than the cluster's, where that makes a difference."""
    said = plan.settings.serving.kserve
    planned, real = load_catalog().kserve(said), load_catalog().kserve(version)
    if planned.spelling == real.spelling and said is None:
        return
    holds = planned.minor == real.minor
    yield Check.of(
        "platform.serving.kserve",
        holds=holds,
        found=f"{said or 'left out'}, so the stack is made for {planned.release}; the cluster has {version}",
        fix=_line(real.minor),
    )


def _line(release: str) -> str:
    return (
        f"write under platform.serving: kserve: '{release}'. With another release's word for the mode KServe takes its "
        "own default and refuses every later update"
    )


def _readable(ask: Callable[[], Answer], otherwise: Answer) -> Answer:
    """Return an answer, or what stands for it where the caller may not look: another way may tell."""
    try:
        return ask()
    except ApiError as error:
        if error.status in _UNREADABLE:
            return otherwise
        raise
