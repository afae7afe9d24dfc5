"""The environment that agents start in, as values.

A key is read, never written: from its variable or, failing that, from a file of the developer's own
under ~/.config/onprem.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

KEY_FOLDER = ".config/onprem"


@dataclass(frozen=True, kw_only=True)
class Environment:
    """Variables by how they come about; names are fixed words of the agents or of the contract.

    `keys`: variable → file name under KEY_FOLDER; `values`: constants; `copies`: variable → variable it is
    taken from; `removed`: must be unset; `no_proxy`: hosts reached without a proxy.
    """

    keys: dict[str, str] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict)
    copies: dict[str, str] = field(default_factory=dict)
    removed: tuple[str, ...] = ()
    no_proxy: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def merged(environments: Iterable[Environment]) -> Environment:
    """Return the union, in order; a later constant of the same name replaces an earlier one."""
    parts = list(environments)
    return Environment(
        keys={name: file for part in parts for name, file in part.keys.items()},
        values={name: value for part in parts for name, value in part.values.items()},
        copies={name: source for part in parts for name, source in part.copies.items()},
        removed=tuple(dict.fromkeys(name for part in parts for name in part.removed)),
        no_proxy=tuple(dict.fromkeys(host for part in parts for host in part.no_proxy)),
        notes=tuple(dict.fromkeys(note for part in parts for note in part.notes)),
    )
