"""A gateway of this folder's own."""

from __future__ import annotations

from tests.gateway.fixtures import (
    checkout,
    clis,
    gateway,
    homes,
    kept,
    litellm_gateway,
    machine,
    of_module,
    set_up_machine,
)

__all__ = [
    "checkout",
    "clis",
    "gateway",
    "homes",
    "kept",
    "litellm_gateway",
    "machine",
    "of_module",
    "set_up_machine",
]
