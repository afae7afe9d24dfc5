"""Settings that are written as in other manifests: what became of them, and what to write here."""

from __future__ import annotations

from onprem_agents.catalog import load_catalog
from onprem_agents.errors import Finding


def former_setting(where: str, location: tuple[str | int, ...], value: object) -> Finding | None:
    """Return what the catalogue knows of a refused key and its value; `where` is its place in words."""
    key = ".".join(["platform", *(part for part in location if isinstance(part, str))])
    for former in load_catalog().former_settings:
        if former.means(key, value):
            fix = former.instead.replace("{section}", where.rpartition(".")[0])
            why = f"{former.became} ({former.source.where}, read {former.source.read})"
            return Finding(cause="former-name", found="", why=why, fix=fix)
    return None
