"""A gateway of this folder's own."""

from __future__ import annotations

from tests.gateway.fixtures import *  # noqa: F403 - fixtures, by the names in its __all__
