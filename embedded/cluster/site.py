"""What every part of the cluster is built from: folders, binaries, ports, certificates."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from embedded.cluster.certificates import Pki
from embedded.layout import Layout
from embedded.ports import LOOPBACK, Ports
from embedded.process import Process

if TYPE_CHECKING:
    from embedded.toolchain import Binary


@dataclass(frozen=True, kw_only=True)
class Site:
    """One cluster's place on this machine. `module` gives the kept folder of a pinned Go module."""

    layout: Layout
    binaries: Mapping[str, Binary]
    ports: Ports
    pki: Pki
    module: Callable[[str], Path]

    @property
    def server(self) -> str:
        return f"https://{LOOPBACK}:{self.ports['kube-apiserver']}"

    def folder(self, name: str) -> Path:
        """Return a folder of the cluster's own, made on demand, closed to other users."""
        path = self.layout.cluster / name
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        return path

    def kubeconfig(self, user: str) -> Path:
        """Return the kubeconfig of one of the cluster's own clients."""
        return self.folder("kubeconfigs") / user

    def process(
        self,
        name: str,
        *arguments: str,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        client: bool = True,
    ) -> Process:
        """Describe the process of one binary; a `client` of the API server restarts with its address."""
        address = {"ONPREM_APISERVER": self.server} if client else {}
        return Process(
            name=name,
            argv=(str(self.binaries[name].path), *arguments),
            env={**address, **(env or {})},
            cwd=cwd,
            pid_file=self.layout.cluster / "run" / f"{name}.pid",
            log=self.layout.logs / f"{name}.log",
        )
