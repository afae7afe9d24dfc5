"""Where everything of the local default lives on disk."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

CACHE_NAME = "onprem-coding-agents"


@dataclass(frozen=True, kw_only=True)
class Layout:
    """The folders of one checkout.

    `state` belongs to this checkout alone and may be deleted after `./dev down`; `cache` is shared by
    every checkout of the user and holds nothing that cannot be fetched or built again.
    """

    checkout: Path
    state: Path
    cache: Path

    @classmethod
    def default(cls) -> Layout:
        """Return the folders that `$ONPREM_STATE`, `$ONPREM_CACHE` and `$XDG_CACHE_HOME` ask for."""
        checkout = Path(__file__).resolve().parent.parent
        return cls(
            checkout=checkout,
            state=_from_environment("ONPREM_STATE") or checkout / ".onprem",
            cache=_from_environment("ONPREM_CACHE") or _user_cache() / CACHE_NAME,
        )

    @property
    def logs(self) -> Path:
        """One log file per process and per long step."""
        return self.state / "logs"

    @property
    def cluster(self) -> Path:
        """Data, certificates and pid files of the cluster's processes."""
        return self.state / "cluster"

    @property
    def kubeconfig(self) -> Path:
        """Admin access to the embedded API server; readable by its owner only."""
        return self.state / "kubeconfig"

    @property
    def pulumi_home(self) -> Path:
        """`PULUMI_HOME`: plugins and credentials of the engine, apart from the user's own."""
        return self.state / "pulumi-home"

    @property
    def pulumi_backend(self) -> Path:
        """The folder that keeps the stacks' state."""
        return self.state / "pulumi-state"

    @property
    def passphrase_file(self) -> Path:
        """The generated passphrase that encrypts the local stacks' secrets; mode 0600."""
        return self.state / "passphrase"

    @property
    def ports_file(self) -> Path:
        """The ports chosen at the first start, kept so that a restart finds its clients again."""
        return self.state / "ports.json"

    @property
    def lock_file(self) -> Path:
        """Held by the one `./dev` run that may change this checkout's state."""
        return self.state / "lock"

    @property
    def toolchain(self) -> Path:
        """Binaries, kept module folders and build folders; see `embedded.toolchain`."""
        return self.cache / "toolchain"


def _from_environment(name: str) -> Path | None:
    value = os.environ.get(name, "").strip()
    return Path(value).expanduser().absolute() if value else None


def _user_cache() -> Path:
    return _from_environment("XDG_CACHE_HOME") or Path.home() / ".cache"
