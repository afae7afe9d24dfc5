"""Where a server's model comes from and which GPUs it may land on, as its declaration tells."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from onprem_agents.catalog import DEVICES, is_product_label
from onprem_agents.stack.labels import ACCELERATOR_ANNOTATION, MODEL_ANNOTATION, POOL_LABEL
from onprem_agents.vllm import HOLE, UNREADABLE, ParsedServe

from .graph import UNKNOWN, Resource, Unknown, Value, dig, items
from .node_labels import accelerator_told, tells_accelerator
from .readers import Declared

_SCHEMES = ("hf://", "s3://", "gs://", "oci://", "pvc://", "http://", "https://")

# Folders whose name tells no model.
_PLAIN_FOLDER = re.compile(r"(?:^/mnt(?:/models?)?|/models?|/data|/cache|/weights)/?$")

PRODUCT_LABELS = tuple(device.product_label for device in DEVICES.values())
"""Labels of nodes that tell their accelerators."""


def model_names(declared: Declared, parsed: ParsedServe) -> Iterator[str | Unknown]:
    """Yield the names the model may be known by, best first: what vLLM gets, the annotation, its source."""
    given = parsed.read("model")
    path = isinstance(given, str) and given.startswith("/")
    if given not in (None, UNREADABLE) and not path:
        yield str(given)
    told = declared.resource.annotation(MODEL_ANNOTATION)
    if told is not None:
        yield told
    for uri in _uris(declared):
        if uri is UNKNOWN or uri == HOLE:
            yield UNKNOWN
        elif uri:
            yield from _names_in(str(uri))
    if path and not _PLAIN_FOLDER.search(str(given)):
        yield from _names_in(str(given))
    if given == UNREADABLE:
        yield UNKNOWN


def accelerators(resource: Resource, pod: Value) -> tuple[str | Unknown, ...]:
    """Return labels, pools or names of the GPUs that the pod may land on; empty when nothing says."""
    selector = dig(pod, "nodeSelector")
    told = resource.annotation(ACCELERATOR_ANNOTATION)
    labels = selector if isinstance(selector, Mapping) else {}
    for label in sorted(labels, key=is_product_label, reverse=True):
        name = _accelerator(label, labels[label])
        if name is not None:
            return (name,)
    pool = dig(selector, POOL_LABEL)
    if pool is not None:
        return (pool if told is None else told,)  # a pool may have a name of its own
    required = dig(pod, "affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution")
    if required is UNKNOWN:
        return (UNKNOWN,)
    found: list[str | Unknown] = []
    for term in items(dig(required, "nodeSelectorTerms")):
        for expression in items(dig(term, "matchExpressions")):
            label, values = str(dig(expression, "key")), items(dig(expression, "values"))
            names = [_accelerator(label, value) for value in values]
            if dig(expression, "operator") == "In" and None not in names:
                found += [name for name in names if name is not None]
    return tuple(found) or (() if told is None else (told,))


def _accelerator(label: str, value: Value) -> str | Unknown | None:
    """Return what a label of nodes tells of their accelerators, None for one that tells nothing of them."""
    if not tells_accelerator(label):
        return None
    if value is UNKNOWN:
        return Unknown.UNKNOWN if is_product_label(label) else None
    return accelerator_told(label, str(value))


def _uris(declared: Declared) -> Iterator[Value]:
    yield from declared.sources
    yield declared.env.get("STORAGE_URI")
    for entry in items(dig(declared.pod, "storageUris")):
        yield dig(entry, "uri")
    for download in items(dig(declared.pod, "initContainers")):
        for word in items(dig(download, "args")):
            if word is UNKNOWN or str(word).startswith(_SCHEMES):
                yield word
    for mount in items(declared.container.get("volumeMounts")):
        for volume in items(dig(declared.pod, "volumes")):
            if dig(volume, "name") == dig(mount, "name"):
                yield dig(volume, "image", "reference")
                if dig(volume, "persistentVolumeClaim") is not None:
                    yield dig(mount, "subPath")


def _names_in(uri: str) -> Iterator[str]:
    """Yield what may be the model's name in a URI: its last two parts, then its last one."""
    path = uri.split("://", 1)[-1].split("@", 1)[0]
    parts = [part.split(":", 1)[0] for part in path.split("/") if part]
    if parts:
        yield "/".join(parts[-2:])
        yield parts[-1]
