"""The table of policies, pack by pack. The packs of Pulumi and the check of manifests read it.

A rule is imported when it is first asked for: the pack announces itself a fifth of a second earlier (2026-11),
and the engine goes on while `load_rules` brings them in.
"""

from __future__ import annotations

import importlib

from .entry import Level, Pack, Policy
from .packs import exposure, serving, serving_models, serving_operation, serving_options, supply_chain

__all__ = ["POLICIES", "Level", "Pack", "Policy", "load_rules"]

POLICIES: tuple[Policy, ...] = (
    *serving.POLICIES,
    *serving_options.POLICIES,
    *serving_models.POLICIES,
    *serving_operation.POLICIES,
    *exposure.POLICIES,
    *supply_chain.POLICIES,
)


def load_rules() -> None:
    """Import every rule and read the facts that all of them judge by."""
    for policy in POLICIES:
        _ = policy.rule
    importlib.import_module(".known", __package__).read_facts()
