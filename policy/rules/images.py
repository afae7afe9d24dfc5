"""What runs in the pods of model serving, told by the names of their images and the packages they install."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ..denied import denied_of
from ..graph import UNKNOWN, Graph, Resource, Value, Violation, dig, items
from ..images import Image, product_of, read_image, version_in
from ..pods import pods

UNNUMBERED = re.compile(r"^[^.]*stable$")
# Tags that are moved on purpose, as the registries of vLLM, LiteLLM, KServe and Envoy use them (read 2026-11).
MOVING = re.compile(r"^(?:.*[-_.])?(?:latest|nightly|main|master|edge|dev|devel|head|rolling|preview)$")
_PINNED = re.compile(r"\b(litellm|claude-code-router|vllm)(?:\[[^\]]*\])?(?:==|@)v?(\d+(?:\.\d+){1,3})")


def images_are_pinned(graph: Graph, *, require_digest: bool = False) -> list[Violation]:
    """Every image has a digest, or a tag that is not moved on purpose; with `require_digest` only a digest does.

    A tag that only happens to stay (`v0.33.0`) is accepted as its registry promises it. A reference that is only
    known at run time is named, as nothing proves what will run.
    """
    found = []
    for resource, field, value in _images(graph):
        problem = _moving(value, require_digest=require_digest)
        if problem:
            found.append(
                Violation(
                    resource=resource,
                    message=f"{resource} {problem}, so what runs can change without a change of the program.",
                    change=f"Write {field} with a release's tag, or better with its digest (name@sha256:…).",
                )
            )
    return found


def _moving(value: Value, *, require_digest: bool) -> str:
    if value is UNKNOWN:
        return "takes an image that is only known at run time"
    image = read_image(value)
    if image is None or image.digest is not None:
        return ""
    if image.tag is None:
        return f"takes {image.text} without a tag, which means latest"
    if MOVING.match(image.tag) or UNNUMBERED.match(image.tag):
        return f"takes {image.text}, a tag that moves"
    return f"takes {image.text} without a digest" if require_digest else ""


def registries_are_allowed(graph: Graph, *, allowed_registries: Sequence[str] = ()) -> list[Violation]:
    """Every image comes from a registry of the list, each a host or a host with the beginning of a path.

    Without a list there is nothing to say. Needs literals: an image that is only known at run time is a violation.
    """
    if not allowed_registries:
        return []
    wanted = ", ".join(allowed_registries)
    found = []
    for resource, field, value in _images(graph):
        image = read_image(value)
        if image is not None and any(_is_within(image, place) for place in allowed_registries):
            continue
        what = "an image that is only known at run time" if image is None else image.text
        if image is not None or value is UNKNOWN:
            found.append(
                Violation(
                    resource=resource,
                    message=f"{resource} takes {what}, which is from none of the allowed registries ({wanted}).",
                    change=f"Mirror it and change {field}, or extend allowedRegistries of this policy's configuration.",
                )
            )
    return found


def _is_within(image: Image, place: str) -> bool:
    name = f"{image.registry}/{image.repository}"
    return name == place.rstrip("/") or name.startswith(place.rstrip("/") + "/")


def releases_are_not_denied(graph: Graph) -> list[Violation]:
    """No pod runs a release that is known to do harm by itself; the list is data with sources and dates.

    Read are tags of images and the requirements that a command installs. A digest without a tag tells no release.
    """
    return _denied(graph, refused=True)


def releases_have_no_open_holes(graph: Graph) -> list[Violation]:
    """No pod runs a release with a published hole that a newer one closes; whether it can be reached depends on use."""
    return _denied(graph, refused=False)


def _denied(graph: Graph, *, refused: bool) -> list[Violation]:
    found: dict[str, Violation] = {}
    for resource, field, product, text in _releases(graph):
        release = version_in(text)
        entries = [] if release is None else denied_of(product, release)
        entry = next((entry for entry in entries if entry.refused), next(iter(entries), None))
        if entry is not None and entry.refused is refused:
            message = f"{resource} runs {product} {text}: {entry.why} ({entry.source}, {entry.date})."
            change = f"Change {field} to {entry.instead}."
            violation = Violation(resource=resource, message=message, change=change)
            found.setdefault(violation.told, violation)
    return list(found.values())


def _releases(graph: Graph) -> Iterator[tuple[Resource, str, str, str]]:
    """Yield what tells a release: object, field, product and the text of its version."""
    for resource, field, value in _images(graph):
        image = read_image(value)
        product = None if image is None else product_of(image)
        if image is not None and product is not None and image.tag is not None:
            yield resource, field, product, image.tag
    for pod in pods(graph):
        for container in pod.containers:
            for key in ("command", "args"):
                for word in items(container.props.get(key)):
                    for product, release in _PINNED.findall(word) if isinstance(word, str) else ():
                        yield pod.resource, f"{container.field}.{key}", product, release


def _images(graph: Graph) -> Iterator[tuple[Resource, str, Value]]:
    """Yield the images of model serving: object, field and reference."""
    for pod in pods(graph):
        for container in pod.containers:
            yield pod.resource, f"{container.field}.image", container.props.get("image")
    if not pods(graph):
        return
    for proxy in graph.of_kind("gateway.envoyproxy.io", "EnvoyProxy"):
        path = ("spec", "provider", "kubernetes", "envoyDeployment", "container", "image")
        yield proxy, ".".join(path), dig(proxy.props, *path)
