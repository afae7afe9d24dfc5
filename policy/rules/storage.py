"""weights-are-where-kserve-looks, runtime-takes-the-format: what KServe's own schema and webhook say of a model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from os.path import commonpath

from onprem_agents.vllm import UNREADABLE

from ..containers import KSERVE
from ..graph import UNKNOWN, Graph, Resource, Value, Violation, dig, items, may_equal
from ..serving import Server, servers

# kserve v0.20.0, config/crd/full, spec.predictor: `storageUri` stands in the model alone, `storageUris` beside it.
_MOUNT = "/mnt/models"


def weights_are_where_kserve_looks(graph: Graph) -> list[Violation]:
    """An InferenceService names its weights in fields that its schema has, one of them, with paths KServe takes.

    The schema drops other fields in silence: the weights never come where nothing else brings them, and where vLLM is
    not told to fetch them itself. Both fields together, and paths that are not absolute or have no folder in common,
    are refused by the webhook (kserve v0.16 to v0.20, inference_service_validation.go, read 2026-11-29). Needs
    presence alone: a value that is only known at run time stands where it stands.
    """
    return [
        Violation(resource=server.resource, message=f"{server.resource} {message}", change=change)
        for server in _servers(graph)
        for message, change in _misplaced(server)
    ]


def runtime_takes_the_format(graph: Graph) -> list[Violation]:
    """A runtime of the program that a service names lists its model format. Advisory.

    KServe refuses others with "Specified runtime does not support specified framework/version" in the service's status.
    A runtime that is declared elsewhere is the matter of serving-can-be-checked, and a format or runtime that is only
    known at run time proves nothing.
    """
    found = []
    for server in _servers(graph):
        service = server.resource
        model = dig(service.props, "spec", "predictor", "model")
        wanted, runtime = dig(model, "modelFormat", "name"), _runtime(graph, service, dig(model, "runtime"))
        if runtime is None or not isinstance(wanted, str):
            continue
        formats = items(dig(runtime.props, "spec", "supportedModelFormats"))
        names = [dig(each, "name") for each in formats]
        if formats and not any(may_equal(name, wanted) for name in names):
            found.append(
                Violation(
                    resource=service,
                    message=f"{service} has modelFormat {wanted}, which its {runtime} does not list (it has"
                    f" {', '.join(map(str, names))}): KServe starts no pod for it.",
                    change=f"Set spec.predictor.model.modelFormat.name to {names[0]}, or add {wanted} to the runtime's"
                    " supportedModelFormats.",
                )
            )
    return found


def _servers(graph: Graph) -> list[Server]:
    """Return the servers of InferenceServices, the first of each."""
    found: dict[str, Server] = {}
    for server in servers(graph):
        if server.resource.kind == "InferenceService":
            found.setdefault(server.resource.urn, server)
    return list(found.values())


def _runtime(graph: Graph, service: Resource, name: Value) -> Resource | None:
    if not isinstance(name, str):
        return None
    near = [
        runtime
        for runtime in graph.of_kind(KSERVE, "ServingRuntime")
        if runtime.object_name == name and may_equal(runtime.namespace, service.namespace)
    ]
    far = [one for one in graph.of_kind(KSERVE, "ClusterServingRuntime") if one.object_name == name]
    return next(iter(near or far), None)


def _misplaced(server: Server) -> Iterator[tuple[str, str]]:
    predictor = dig(server.resource.props, "spec", "predictor")
    model = dig(predictor, "model")
    several = dig(predictor, "storageUris")
    if isinstance(model, Mapping) and _needs_weights(server, model, several):
        if "storageUris" in model:
            yield (
                (
                    "has storageUris in spec.predictor.model, where KServe's schema has no such field: it is dropped,"
                    " and the weights never come."
                ),
                "Move it up to spec.predictor.storageUris (KServe 0.16 and newer).",
            )
        if "storageUri" in predictor:
            yield (
                (
                    "has storageUri in spec.predictor, where KServe's schema has no such field: it is dropped, and the"
                    " weights never come."
                ),
                "Move it to spec.predictor.model.storageUri.",
            )
    beside = isinstance(model, Mapping) and model.get("storageUri") is not None
    if beside and several is not None and several != []:
        yield (
            (
                "has both spec.predictor.model.storageUri and spec.predictor.storageUris: KServe's webhook refuses the"
                " two together."
            ),
            "Keep one of them.",
        )
    yield from _paths(items(several))


def _needs_weights(server: Server, model: Value, several: Value) -> bool:
    """Whether nothing else brings weights: no field that KServe reads, and no name that vLLM fetches by itself."""
    given = server.parsed.read("model")
    fetched = given not in (None, UNREADABLE) and not str(given).startswith("/")
    return (
        not fetched and several is None and dig(model, "storageUri") is None and dig(model, "storage") is None
    )


def _paths(entries: object) -> Iterator[tuple[str, str]]:
    paths = [dig(each, "mountPath") for each in items(entries)]
    told = [str(path) for path in paths if path not in (None, UNKNOWN)]
    wrong = [path for path in told if not path.startswith("/") or path == "/" or ".." in path]
    if wrong:
        yield (
            (
                f"mounts weights at {', '.join(wrong)} (storageUris): KServe's webhook takes absolute paths below the"
                " root alone, without '..'."
            ),
            f"Write a path such as {_MOUNT}/draft.",
        )
        return
    downloaded = [
        str(dig(each, "mountPath") or _MOUNT)
        for each in items(entries)
        if isinstance(dig(each, "uri"), str) and not str(dig(each, "uri")).startswith("pvc://")
    ]
    if len(downloaded) > 1 and UNKNOWN not in paths and commonpath(downloaded) == "/":
        yield (
            (
                f"mounts weights at {', '.join(downloaded)} (storageUris), which have no folder in common: KServe's"
                " webhook refuses that."
            ),
            f"Put them below one folder, such as {_MOUNT}.",
        )
