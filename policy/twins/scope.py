"""Which pods a twin judges: those of plain vLLM servers, of the proxies before them and of this product.

The same as the rules judge, as far as one object tells it for certain. A server behind a shell, a variable or a runtime
is told by the product's label alone, and one whose model may write no text by nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from onprem_agents.catalog import load_catalog
from onprem_agents.stack.labels import AGENTS_LABEL, MODEL_ANNOTATION, ROLE_LABEL, STACK_LABEL
from onprem_agents.vllm import COMMAND

from ..images import PRODUCTS
from ..writes_text import NO_TEXT
from .twin import Resources, get, pattern, text

# Kind → group, plural, and where the specs of its pods stand (Kubernetes 1.36, KServe v0.20.0, LeaderWorkerSet v0.10).
KINDS: Mapping[str, tuple[str, str, tuple[tuple[str, ...], ...]]] = {
    "Pod": ("", "pods", (("spec",),)),
    **{
        kind: ("apps", f"{kind.lower()}s", (("spec", "template", "spec"),))
        for kind in ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet")
    },
    "Job": ("batch", "jobs", (("spec", "template", "spec"),)),
    "InferenceService": (
        "serving.kserve.io",
        "inferenceservices",
        (("spec", "predictor"), ("spec", "predictor", "workerSpec")),
    ),
    "LLMInferenceService": (
        "serving.kserve.io",
        "llminferenceservices",
        (
            ("spec", "template"),
            ("spec", "worker"),
            ("spec", "prefill", "template"),
            ("spec", "prefill", "worker"),
        ),
    ),
    "LeaderWorkerSet": (
        "leaderworkerset.x-k8s.io",
        "leaderworkersets",
        (
            ("spec", "leaderWorkerTemplate", "leaderTemplate", "spec"),
            ("spec", "leaderWorkerTemplate", "workerTemplate", "spec"),
        ),
    ),
}
# The kinds whose own words tell a server; what others run is completed by their controllers.
_PLAIN = ("Pod", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "InferenceService")
*_, _MODULE, _SERVE = COMMAND
_PROXIES = ("litellm", "claude-code-router")


def _resources() -> tuple[Resources, ...]:
    groups: dict[str, list[str]] = {}
    for group, plural, _ in KINDS.values():
        groups.setdefault(group, []).append(plural)
    return tuple(Resources(group=group, plurals=tuple(plurals)) for group, plurals in groups.items())


PODS = _resources()
"""All that pods are made from."""


def containers_of(pod: str) -> str:
    """Return the CEL of a pod's containers, init containers and what a runtime completes included."""
    lists = (get(pod, key, default="[]") for key in ("containers", "initContainers"))
    return f"({' + '.join(lists)} + ({pod}.?model.hasValue() ? [{pod}.model] : []))"


def words_of(container: str) -> str:
    """Return the CEL of a container's command and arguments."""
    return f"({get(container, 'command', default='[]')} + {get(container, 'args', default='[]')})"


def _by_kind(of_path: Callable[[tuple[str, ...]], str]) -> str:
    """Return the CEL that is, for each kind, the sum of what `of_path` makes of its paths."""
    found = "[]"
    for kind, (_, _, paths) in KINDS.items():
        found = f"request.kind.kind == {text(kind)} ? ({' + '.join(map(of_path, paths))}) : ({found})"
    return found


def _pod_at(path: tuple[str, ...]) -> str:
    return f"(object{''.join(f'.?{key}' for key in path)}.hasValue() ? [object.{'.'.join(path)}] : [])"


def _containers_at(path: tuple[str, ...]) -> str:
    model = "".join(f".?{key}" for key in (*path, "model"))
    lists = [get("object", *path, key, default="[]") for key in ("containers", "initContainers")]
    return f"{' + '.join(lists)} + (object{model}.hasValue() ? [object.{'.'.join((*path, 'model'))}] : [])"


def _ours() -> str:
    labels = get("object", "metadata", "labels", default="{}")
    return " || ".join(f"{text(label)} in {labels}" for label in (STACK_LABEL, ROLE_LABEL))


def _proxies() -> str:
    names = [pattern(regex) for regex, product in PRODUCTS if product in _PROXIES]
    last = 'n.substring(n.lastIndexOf("/") + 1)'
    fits = " || ".join(f"{last}.matches({name})" for name in names)
    return f"variables.repositories.exists(n, {fits})"


def _server_containers() -> str:
    """The containers that may serve: KServe's own or the first, each of a workload's."""
    named = 'c.?name.orValue("") == "kserve-container"'
    own = get("object", "spec", "predictor", "containers", default="[]")
    chosen = f"({own}.exists(c, {named}) ? {own}.filter(c, {named}) : size({own}) > 0 ? [{own}[0]] : [])"
    service = f"(object.?spec.?predictor.?model.hasValue() ? [] : {chosen})"
    all_of = "variables.podSpecs.size() > 0 ? variables.podSpecs[0].?containers.orValue([]) : []"
    kinds = ", ".join(text(kind) for kind in _PLAIN if kind != "InferenceService")
    return f'request.kind.kind == "InferenceService" ? {service} : request.kind.kind in [{kinds}] ? ({all_of}) : []'


def _starts() -> str:
    """Whether a container `c` starts vLLM in plain words, or by the entrypoint of an image that is known to."""
    images = "|".join(
        known.repository.replace(".", "[.]")
        for known in load_catalog().serving_images
        if known.starts == "vllm"
    )
    words = words_of("c")
    return (
        f'({words}.size() > 2 && {words}[0].matches("^(?:.*/)?vllm$") && {words}[1] == "serve")'
        f' || ({words}.size() > 3 && {words}[0].matches("^(?:.*/)?python3?(?:[.][0-9]+)?$") && {words}[1] == "-m"'
        f' && ({words}[2] == "vllm.entrypoints.openai.api_server" || ({words}[2] == {text(_MODULE)}'
        f" && {words}[3] == {text(_SERVE)})))"
        f' || (!has(c.command) && {get("c", "args", default="[]")}.size() > 0 && c.args[0].startsWith("-")'
        f' && c.?image.orValue("").matches({text(f"(?i)(?:^|/)(?:{images})(?::[^/]*)?(?:@.*)?$")}))'
    )


def _may_write_no_text() -> str:
    """Whether anything about a pod `p` reads like a model that writes no text."""
    fits = f"matches({pattern(NO_TEXT)})"
    of_containers = (
        f"{words_of('c')}.exists(w, w.{fits})"
        f' || {get("c", "env", default="[]")}.exists(e, e.?value.orValue("").{fits})'
        f' || {get("c", "volumeMounts", default="[]")}.exists(m, m.?subPath.orValue("").{fits})'
    )
    return (
        f"variables.podSpecs.exists(p, {containers_of('p')}.exists(c, {of_containers})"
        f' || {get("p", "volumes", default="[]")}.exists(v, v.?image.?reference.orValue("").{fits})'
        f' || {get("p", "storageUris", default="[]")}.exists(u, u.?uri.orValue("").{fits}))'
        f' || object.metadata.?annotations[?{text(MODEL_ANNOTATION)}].orValue("").{fits}'
    )


# Words that hide others, or that make a server answer with vectors or classes; each may be abbreviated.
_HIDES = r"[$][(]|^--(?:conf|ru|conv|ta)"


def scope() -> dict[str, str]:
    """Return the variables of a twin about pods, in their order.

    `podSpecs` and `containers` are all of the object, `images` and `repositories` (without tags) their images,
    `serving` the containers that start vLLM in plain words, `judged` whether the object belongs to model serving.
    """
    plain = (
        f"({_server_containers()}).filter(c, {_starts()}).filter(c, !{words_of('c')}.exists(w,"
        f" w.matches({text(_HIDES)})))"
    )
    return {
        "podSpecs": _by_kind(_pod_at),
        "containers": _by_kind(_containers_at),
        "images": 'variables.containers.filter(c, c.?image.orValue("").trim() != "").map(c, c.image.trim())',
        "repositories": 'variables.images.map(i, i.split("@")[0])'
        '.map(n, n.matches(":[^/]*$") ? n.substring(0, n.lastIndexOf(":")) : n)',
        "ours": _ours(),
        "serving": f"({_may_write_no_text()}) ? [] : {plain}",
        "judged": f"variables.ours || variables.serving.size() > 0 || {_proxies()}",
    }


def not_for_agents() -> str:
    """Return the CEL that tells whether the owner of a server says that no agent talks to it."""
    return f'object.metadata.?labels[?{text(AGENTS_LABEL)}].orValue("") == "false"'
