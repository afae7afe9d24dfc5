"""Settings that are written as in other manifests: what became of them, and what to write here."""

from __future__ import annotations

from onprem_agents.catalog import load_catalog
from onprem_agents.errors import Finding

# The sections whose settings a model server that stands alone takes without naming a section.
_FLAT = ("models", "serving")


def former_setting(
    where: str, location: tuple[str | int, ...], value: object, *, rooted: bool
) -> Finding | None:
    """Return what the catalogue knows of a refused key and its value.

    `where` is its place in words; `rooted` tells whether the place begins at the platform's settings.
    """
    path = ".".join(part for part in location if isinstance(part, str))
    keys = [f"platform.{path}", *(() if rooted else (f"platform.{section}.{path}" for section in _FLAT))]
    for former in load_catalog().former_settings:
        if any(former.means(key, value) for key in keys):
            section = where.rpartition(".")[0]
            fix = former.instead.replace("{section}.", f"{section}." if section else "")
            why = f"{former.became} ({former.source.where}, read {former.source.read})"
            return Finding(cause="former-name", found="", why=why, fix=fix)
    return None
