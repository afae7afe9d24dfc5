"""The pack `serving`: what its arguments make of a server that starts."""

from __future__ import annotations

from ..entry import Policy

POLICIES: tuple[Policy, ...] = ()
