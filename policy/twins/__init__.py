"""Twins: rules that the API server itself can ask of one object, in its own language (CEL)."""

from __future__ import annotations

from .gateways import TWINS as GATEWAYS
from .pods import TWINS as PODS
from .scope import scope
from .secrets import TWINS as SECRETS
from .servers import TWINS as SERVERS
from .supply_chain import TWINS as SUPPLY_CHAIN
from .twin import SETTINGS, Resources, Twin

__all__ = ["SETTINGS", "TWINS", "Resources", "Twin", "scope"]

TWINS: tuple[Twin, ...] = (*SERVERS, *GATEWAYS, *SECRETS, *SUPPLY_CHAIN, *PODS)
"""The twin of each policy that has one, in the order of the table's packs."""
