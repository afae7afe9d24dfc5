"""Which parts have an official prebuilt file, by platform, with the checksum that it must have.

What has no row here is compiled: the Envoy Gateway of the host mode is patched, KServe publishes images alone. A part
without a file for a platform is compiled there; there are rows for Linux alone, where the local default runs. For
etcd and for the engine's Kubernetes provider no checksum was found in a public source (2026-11).
"""

from __future__ import annotations

import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from embedded.toolchain.pins import KUBERNETES, KWOK, PULUMI

_PROCESSORS = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


@dataclass(frozen=True, kw_only=True)
class File:
    """One file: its path on the site, its SHA-256."""

    path: str
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Release:
    """The official files of one part, by platform as Go spells it, such as `linux-amd64`.

    `archive` holds the patterns of the programs to take out of a tar archive and `needed` those that it must hold; a
    release without them is the program itself. What is taken lies in one folder, the part's own program comes last.
    """

    part: str
    version: str
    site: str
    files: Mapping[str, File]
    archive: tuple[str, ...] = ()
    needed: tuple[str, ...] = ()

    @property
    def here(self) -> File | None:
        """The file for this machine, None when there is none."""
        return self.files.get(platform_name())


def platform_name() -> str:
    """Return operating system and processor of this machine as Go spells them."""
    machine = platform.machine().lower()
    return f"{sys.platform}-{_PROCESSORS.get(machine, machine)}"


def _kubernetes(name: str, *, amd64: str, arm64: str) -> Release:
    folder = f"v{KUBERNETES}/bin/linux"
    return Release(
        part=name,
        version=KUBERNETES,
        site="https://dl.k8s.io/release",
        files={
            "linux-amd64": File(path=f"{folder}/amd64/{name}", sha256=amd64),
            "linux-arm64": File(path=f"{folder}/arm64/{name}", sha256=arm64),
        },
    )


RELEASES = (
    # SHA-256 of Kubernetes 1.36.3's files as kubernetes/kops pins them (pkg/assets/assetdata/k8s-1.36.yaml at
    # 268927e26409, 2026-08-22).
    _kubernetes(
        "kube-apiserver",
        amd64="1f217d397234a6d065da663c6e086fdb02c0f0de97a0758ff3e6f3956f4ef8ab",
        arm64="16001b9d35d23634c361a1e2b7b0fc7abe186984af697ef7a869c8c8cded78b7",
    ),
    _kubernetes(
        "kube-controller-manager",
        amd64="7edfe976d5a06c7a702d653e914095f4a732a04bb2139115b6a6eba6a9b781c7",
        arm64="27868a5c822824945b93f2d8a724a5dcd99affc68b47230ae766bff8795bbb84",
    ),
    _kubernetes(
        "kube-scheduler",
        amd64="b8955d4518c902110b50a825364339b1fb673822518ce0ba081a69ed634f8eee",
        arm64="ca1c7cd0033942bf9ef7eac80e18375d91f6f29487244c3e685f11163b01a88d",
    ),
    # SHA-256 of kwok 0.8.0 as the Arch Linux user package kwok-bin 0.8.0-1 pins them (read 2026-11).
    Release(
        part="kwok",
        version=KWOK,
        site="https://github.com/kubernetes-sigs/kwok/releases/download",
        files={
            "linux-amd64": File(
                path=f"v{KWOK}/kwok-linux-amd64",
                sha256="f5a4385a2ae1b9dd7f8acae18e002a75c0ebba124ae9d7259aa8dadb50711f46",
            ),
            "linux-arm64": File(
                path=f"v{KWOK}/kwok-linux-arm64",
                sha256="628f7d277860f524a2a775c217adcc58828e7b59ab0933680315784f1b8b0e37",
            ),
        },
    ),
    # SHA-256 of Pulumi 3.259.0 as pinned by a public Nix package definition that fetches the same files (2026-11).
    # Of the hosts for programs only Python's is taken.
    Release(
        part="pulumi",
        version=PULUMI,
        site="https://get.pulumi.com/releases/sdk",
        files={
            "linux-amd64": File(
                path=f"pulumi-v{PULUMI}-linux-x64.tar.gz",
                sha256="94ba357acac23d01474084c4b00098dc0f7bc70ce13f34c777459254a5f718e5",
            ),
            "linux-arm64": File(
                path=f"pulumi-v{PULUMI}-linux-arm64.tar.gz",
                sha256="edc8327463a72160bb36cf82cf5062da9c8a244290a706d9980988e7bf486853",
            ),
        },
        archive=("pulumi", "*python*"),
        needed=("pulumi", "pulumi-language-python"),
    ),
)


def release_of(part: str) -> Release | None:
    """Return the official release of a part that has a file for this machine, else None."""
    return next((release for release in RELEASES if release.part == part and release.here is not None), None)
