"""The certificate of the external listener: an issuer that can sign, or a Secret that the Gateway may read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from onprem_agents.cluster import KubeClient
from onprem_agents.cluster.preflight.check import Check, Object, attempt, condition
from onprem_agents.plan import PlatformPlan

_GATEWAY_GROUP = "gateway.networking.k8s.io"
_NEWEST = f"{_GATEWAY_GROUP}/v1"
_TLS_KEYS = ("tls.crt", "tls.key")


def check_certificate(plan: PlatformPlan, _objects: Sequence[Object], client: KubeClient) -> Iterator[Check]:
    """Yield whether the issuer is ready, or the Secret there and open to the stack's Gateway."""
    tls = plan.access.tls
    if tls.issuer is not None:
        namespace = plan.namespace if tls.issuer_kind == "Issuer" else None
        issuer = client.find("cert-manager.io/v1", tls.issuer_kind, tls.issuer, namespace)
        yield _issuer(f"{tls.issuer_kind} {tls.issuer}", issuer)
    elif tls.secret_name is not None:
        namespace, name = tls.secret_namespace or plan.namespace, f"{tls.secret_name}"
        label = f"Secret {namespace}/{name}"
        yield attempt(label, partial(_secret, label, namespace, name, client))
        if namespace != plan.namespace and not tls.reference_grant:
            label = f"ReferenceGrant in {namespace}"
            yield attempt(label, partial(_grant, label, plan, namespace, name, client))


def _secret(label: str, namespace: str, name: str, client: KubeClient) -> Check:
    secret = client.find("v1", "Secret", name, namespace)
    data = (secret or {}).get("data") or {}
    lacking = [key for key in _TLS_KEYS if not data.get(key)]
    found = "not there" if secret is None else f"has no {' and no '.join(lacking)}" if lacking else "there"
    fix = (
        "create the TLS Secret, or correct platform.access.tls; a Secret of type kubernetes.io/tls has tls.crt and "
        "tls.key"
    )
    return Check.of(label, holds=not lacking, found=found, fix=fix)


def _issuer(name: str, issuer: Object | None) -> Check:
    if issuer is None:
        return Check(
            name=name,
            verdict="missing",
            found="not there",
            fix="create it, or correct platform.access.tls.issuer",
        )
    ready = condition(issuer, "Ready")
    return Check.of(
        name,
        holds=ready == "True",
        found="ready" if ready == "True" else f"condition Ready is {ready or 'absent'}",
        fix=f"see why cert-manager cannot use it: kubectl describe {name.replace(' ', '/').lower()}",
    )


def _grant(label: str, plan: PlatformPlan, namespace: str, secret: str, client: KubeClient) -> Check:
    """Without a ReferenceGrant in the Secret's namespace the listener never becomes ready."""
    served = [
        kind.api_version
        for kind in client.resources()
        if kind.group == _GATEWAY_GROUP and kind.kind == "ReferenceGrant"
    ]
    there = any(
        _grants(grant, plan.namespace, secret)
        for api_version in served
        for grant in client.list(api_version, "ReferenceGrant", namespace)
    )
    api_version = _NEWEST if _NEWEST in served or not served else served[0]
    return Check.of(
        label,
        holds=there,
        found=f"lets Gateways of {plan.namespace} read it" if there else "none that allows it",
        fix="set platform.access.tls.referenceGrant to true where 'pulumi up' may write there, or let that namespace's "
        "owner apply:\n" + grant_yaml(api_version, plan.namespace, namespace, secret),
    )


def _grants(grant: Object, gateway_namespace: str, secret: str) -> bool:
    spec = grant.get("spec") or {}
    return any(
        each.get("group") == _GATEWAY_GROUP
        and each.get("kind") == "Gateway"
        and each.get("namespace") == gateway_namespace
        for each in spec.get("from") or []
    ) and any(
        each.get("group") in ("", None)
        and each.get("kind") == "Secret"
        and each.get("name") in (None, secret)
        for each in spec.get("to") or []
    )


def grant_yaml(api_version: str, gateway_namespace: str, namespace: str, secret: str) -> str:
    """Return the ReferenceGrant that lets Gateways of one namespace use a Secret of another."""
    return "\n".join(
        (
            f"apiVersion: {api_version}",
            "kind: ReferenceGrant",
            f"metadata: {{name: {gateway_namespace}-tls, namespace: {namespace}}}",
            "spec:",
            f"  from: [{{group: gateway.networking.k8s.io, kind: Gateway, namespace: {gateway_namespace}}}]",
            f'  to: [{{group: "", kind: Secret, name: {secret}}}]',
        )
    )
