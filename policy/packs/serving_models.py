"""The pack `serving`: what model and agents ask of a server."""

from __future__ import annotations

from ..entry import Policy

POLICIES: tuple[Policy, ...] = ()
