"""Gated weights: is the token there with which they are downloaded?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from onprem_agents.cluster import KubeClient
from onprem_agents.cluster.preflight.check import Check, Object
from onprem_agents.plan import PlatformPlan
from onprem_agents.plan.cache import KServeCache
from onprem_agents.plan.remarks import ACCOUNT_STEPS, CREDENTIAL_STEPS


def check_licences(plan: PlatformPlan, _objects: Sequence[Object], client: KubeClient) -> Iterator[Check]:
    """Yield whether gated weights can be downloaded; whether the token's account accepted cannot be seen here."""
    name = plan.settings.serving.storage_secret
    for serving in plan.serving:
        if serving.licence_to_accept is None:
            continue
        if isinstance(serving.cache, KServeCache):
            account = serving.cache.service_account
            yield Check.of(
                f"licence of {serving.variant.hf_id}",
                holds=account is not None,
                found=f"KServe downloads with the credentials of {account or 'nobody'}",
                fix=f"{serving.licence_to_accept}; {ACCOUNT_STEPS}",
            )
            continue
        there, found = False, "platform.serving.storageSecret names no Secret"
        if name is not None:
            secret = client.find("v1", "Secret", name, plan.namespace)
            there = "HF_TOKEN" in (secret or {}).get("data", {})
            state = "is not there" if secret is None else "has HF_TOKEN" if there else "has no HF_TOKEN"
            found = f"Secret {plan.namespace}/{name} {state}"
        yield Check.of(
            f"licence of {serving.variant.hf_id}",
            holds=there,
            found=found,
            fix=f"{serving.licence_to_accept}; {CREDENTIAL_STEPS}",
        )
