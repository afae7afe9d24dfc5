"""The pack `serving`: what a server needs to stay up."""

from __future__ import annotations

from ..entry import Policy

POLICIES: tuple[Policy, ...] = ()
