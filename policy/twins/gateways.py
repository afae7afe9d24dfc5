"""Twins of the pack `exposure`: routes, policies and Services that lead to the model servers of a stack."""

from __future__ import annotations

from onprem_agents.stack.labels import ROLE_LABEL

from ..attachment import ENVOY_GATEWAY, GATEWAY_API
from ..rules.entry_checks import PRIVATE_PATHS
from ..rules.key_forms import HEADERS
from .twin import Resources, Twin, get, text, texts

_ROUTES = (Resources(group=GATEWAY_API, plurals=("httproutes",)),)
_POLICIES = (Resources(group=ENVOY_GATEWAY, plurals=("securitypolicies",)),)
# The label that KServe v0.20 gives the pods of an InferenceService, and what it calls its Service (read 2026-11).
_OF_KSERVE = "serving.kserve.io/inferenceservice"
_PREDICTOR = "-predictor"


def _rules() -> str:
    """The rules of a route that lead to a model server."""
    here = "b.?namespace.orValue(object.metadata.namespace) == object.metadata.namespace"
    service = 'b.?kind.orValue("Service") == "Service"'
    leads = f"{service} && {here} && variables.servers.exists(s, b.name == s + {text(_PREDICTOR)})"
    refs = get("r", "backendRefs", default="[]")
    return f"{get('object', 'spec', 'rules', default='[]')}.filter(r, {refs}.exists(b, {leads}))"


def _cut() -> str:
    """Timeouts below the longest turn; none at all and zero, which is no limit, are not for one object to judge."""
    own = "r.?timeouts.?backendRequest.hasValue() && !r.?retry.hasValue() ? r.timeouts.backendRequest"
    limit = f'({own} : r.?timeouts.?request.orValue("0s"))'
    longest = 'duration(string(variables.longestTurnSeconds) + "s")'
    return (
        f'{_rules()}.map(r, {limit}).filter(t, duration(t) > duration("0s") && duration(t) < {longest})'
        '.map(t, "cuts turns after " + t)'
    )


def _opened() -> str:
    gateway = 'g.?kind.orValue("Gateway") == "Gateway"'
    path = 'm.?path.?value.orValue("/")'
    clean = f'({path}.endsWith("/") ? {path}.substring(0, size({path}) - 1) : {path})'
    opens = f'{texts(PRIVATE_PATHS)}.filter(p, p == {clean} || p.startsWith({clean} + "/"))'
    prefix = 'm.?path.?type.orValue("PathPrefix") == "PathPrefix"'
    rewritten = f"{get('r', 'filters', default='[]')}.exists(f, has(f.urlRewrite))"
    matches = f'r.?matches.orValue([{{}}]).filter(m, {prefix}).map(m, {opens}.join(", ")).filter(t, t != "")'
    return (
        f"!{get('object', 'spec', 'parentRefs', default='[]')}.exists(g, {gateway}) ? [] :"
        f' {_rules()}.filter(r, !{rewritten}).map(r, {matches}.join(", ")).filter(t, t != "")'
        '.map(t, "opens " + t + " to its users")'
    )


_SELECTOR = get("object", "spec", "selector", default="{}")
_NAMED = f"{texts((_OF_KSERVE, ROLE_LABEL))}.filter(k, k in {_SELECTOR}).map(k, {_SELECTOR}[k])"


def _exposed() -> str:
    """Services that pick the pods of a server by nothing but what KServe and the product call them."""
    server = "variables.named.all(n, n in variables.servers && n == variables.named[0])"
    known = texts((_OF_KSERVE, ROLE_LABEL, "component"))
    others = (
        f'{_SELECTOR}.all(k, k in {known}) && {_SELECTOR}[?"component"].orValue("predictor") == "predictor"'
    )
    kind = 'object.spec.?type.orValue("ClusterIP")'
    how = (
        f'{kind} in ["NodePort", "LoadBalancer"] ? ["has type " + {kind}] :'
        ' size(object.spec.?externalIPs.orValue([])) > 0 ? ["has externalIPs"] : []'
    )
    return f"(variables.named.size() > 0 && {server} && {others}) ? ({how}) : []"


def _guards() -> str:
    """Whether a policy is on what a stack's own check of keys is on, as a whole."""
    one = "(object.?spec.?targetRef.hasValue() ? [object.spec.targetRef] : [])"
    targets = f"({get('object', 'spec', 'targetRefs', default='[]')} + {one})"
    named = 't.kind + "/" + t.name in variables.guarded && !t.?sectionName.hasValue()'
    return f"{targets}.exists(t, {named})"


_CHECKS_KEYS = f"(object.?spec.?apiKeyAuth.hasValue() && {_guards()})"


def _unread() -> str:
    sources = get("object", "spec", "apiKeyAuth", "extractFrom", default="[]")
    reads = "s.?headers.orValue([]).exists(h, h.lowerAscii() == w)"
    return (
        f"!{_CHECKS_KEYS} ? [] : {texts(HEADERS)}.filter(w, !{sources}.exists(s, {reads}))"
        '.map(w, "does not read a key from " + w)'
    )


def _for_anybody() -> str:
    rules = get("object", "spec", "authorization", "rules", default="[]")
    claims = f"{rules}.exists(r, r.?principal.?jwt.hasValue())"
    providers = get("object", "spec", "jwt", "providers", default="[]")
    open_ones = f"{providers}.filter(p, p.?audiences.orValue([]).size() == 0)"
    return (
        f'({_guards()} && !{claims}) ? {open_ones}.map(p, "takes every token of its issuer, " + p.name) : []'
    )


TWINS = (
    Twin(
        policy="timeouts-are-monotonic",
        on=_ROUTES,
        faults=_cut(),
        why="turns that their server goes on with are cut here. Set timeouts.request and timeouts.backendRequest to no"
        " less than the longest turn of the stack, platform.timeouts.longestTurnSeconds.",
        settings=("servers", "longestTurnSeconds"),
    ),
    Twin(
        policy="paths-are-listed",
        on=_ROUTES,
        faults=_opened(),
        why="name what agents need with type: Exact (/v1/chat/completions, /v1/responses, /v1/messages, /v1/models).",
        settings=("servers",),
    ),
    Twin(
        policy="keys-end-at-the-gateway",
        on=_POLICIES,
        faults=f"{_CHECKS_KEYS} && object.spec.apiKeyAuth.?sanitize.orValue(false) != true"
        ' ? ["passes the developer\'s own key on to the server"] : []',
        why="whose logs may keep it. Set apiKeyAuth.sanitize: true.",
        settings=("guarded",),
    ),
    Twin(
        policy="keys-are-read-from-both-headers",
        on=_POLICIES,
        faults=_unread(),
        why="some agents send it there: they end in 401. Add it to apiKeyAuth.extractFrom.",
        settings=("guarded",),
    ),
    Twin(
        policy="servers-stay-behind-the-gateway",
        on=(Resources(group="", plurals=("services",)),),
        variables={"named": _NAMED},
        faults=_exposed(),
        why="its users reach a model server past the gateway. Set spec.type: ClusterIP and lead a route to it.",
        settings=("servers",),
    ),
    Twin(
        policy="tokens-name-their-audience",
        on=_POLICIES,
        faults=_for_anybody(),
        why="one made for any other application of the house opens the models too. Set audiences of that provider.",
        settings=("guarded",),
    ),
)
