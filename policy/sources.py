"""Where a server's model comes from and which GPUs it may land on, as its declaration tells."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from onprem_agents.catalog import DEVICES, is_product_label
from onprem_agents.stack.labels import ACCELERATOR_ANNOTATION, MODEL_ANNOTATION, POOL_LABEL
from onprem_agents.vllm import HOLE, UNREADABLE, ParsedServe

from .graph import UNKNOWN, Resource, Unknown, Value, dig, items
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
    products = filter(is_product_label, selector if isinstance(selector, Mapping) else ())
    told = resource.annotation(ACCELERATOR_ANNOTATION)
    for label in products:
        return (dig(selector, label),)
    pool = dig(selector, POOL_LABEL)
    if pool is not None:
        return (pool if told is None else told,)  # a pool may have a name of its own
    required = dig(pod, "affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution")
    if required is UNKNOWN:
        return (UNKNOWN,)
    found: list[str | Unknown] = []
    for term in items(dig(required, "nodeSelectorTerms")):
        for expression in items(dig(term, "matchExpressions")):
            if is_product_label(str(dig(expression, "key"))) and dig(expression, "operator") == "In":
                found += items(dig(expression, "values"))
    return tuple(found) or (() if told is None else (told,))


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
