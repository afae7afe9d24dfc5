"""Every part of the local default: its version, where it is built from and how it states its version."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from embedded.toolchain import gateway_patch, provider_patch
from embedded.toolchain.patch import Patch

MODULES = Path(__file__).resolve().parent.parent / "modules"

# Releases of November 2026 that were seen to work together: Kubernetes 1.36, KServe 0.20, Envoy Gateway 1.9.
# The module versions stand a second time in `modules/*/go.mod`; a test holds both together.
ETCD = "3.6.16"
KUBERNETES = "1.36.3"
KWOK = "0.8.0"
ENVOY_GATEWAY = "1.9.1"
KSERVE = "0.20.0"
KUEUE = "0.19.2"
PULUMI = "3.259.0"
# The latest whose source the public module proxy serves (2026-11).
KUBERNETES_PROVIDER = provider_patch.VERSION
# Envoy Gateway 1.9 drives Envoy 1.39 (its compatibility matrix, 2026-11).
ENVOY = "1.39.1"

_MAJOR, _MINOR, _ = KUBERNETES.split(".")
_KUBERNETES_VERSION = "k8s.io/component-base/version"
_PROVIDER_MODULE = provider_patch.PATCH.module
_PULUMI_VERSION = "github.com/pulumi/pulumi/sdk/v3/go/common/version"


@dataclass(frozen=True, kw_only=True)
class Part:
    """One binary.

    `package` is its Go import path, `built_as` the file name `go build` gives it. `probe` holds the
    arguments that make a copy on PATH state its version; without a probe a copy on PATH is never used. `plugin` is
    what Pulumi's plugin folders call it: an installed one of this or a later minor version is used.
    """

    name: str
    version: str
    package: str
    built_as: str
    probe: tuple[str, ...] = ()
    plugin: str = ""


@dataclass(frozen=True, kw_only=True)
class Group:
    """Parts that share one `go.mod` and are compiled by one `go build`.

    `needs_gib` is about the disk space that sources and compiler output take at their peak. `patch` changes the
    source of one module; `keeps` names the modules whose data folders outlive the build. What is `optional` is
    brought to those alone that name it.
    """

    name: str
    title: str
    parts: tuple[Part, ...]
    ldflags: str
    needs_gib: float
    patch: Patch | None = None
    keeps: tuple[str, ...] = ()
    optional: bool = False


@dataclass(frozen=True, kw_only=True)
class DataModule:
    """A Go module of which only data is used: CRDs, stage files, default configuration.

    Its version and checksum stand in `modules/crds/go.mod` and `go.sum`.
    """

    module: str
    folders: tuple[str, ...]


CLUSTER = Group(
    name="cluster",
    title="Kubernetes, kwok and Envoy Gateway",
    parts=(
        Part(
            name="etcd",
            version=ETCD,
            package="go.etcd.io/etcd/server/v3",
            built_as="server",
            probe=("--version",),
        ),
        *(
            Part(
                name=name,
                version=KUBERNETES,
                package=f"k8s.io/kubernetes/cmd/{name}",
                built_as=name,
                probe=("--version",),
            )
            for name in ("kube-apiserver", "kube-controller-manager", "kube-scheduler")
        ),
        Part(
            name="kwok",
            version=KWOK,
            package="sigs.k8s.io/kwok/cmd/kwok",
            built_as="kwok",
            probe=("--version",),
        ),
        Part(
            name="envoy-gateway",
            version=ENVOY_GATEWAY,
            package="github.com/envoyproxy/gateway/cmd/envoy-gateway",
            built_as="envoy-gateway",
        ),
    ),
    # Clients refuse an API server that does not state a version.
    ldflags=" ".join(
        [
            f"-X {_KUBERNETES_VERSION}.gitVersion=v{KUBERNETES}",
            f"-X {_KUBERNETES_VERSION}.gitMajor={_MAJOR}",
            f"-X {_KUBERNETES_VERSION}.gitMinor={_MINOR}",
        ]
    ),
    needs_gib=8,
    patch=gateway_patch.PATCH,
    keeps=("sigs.k8s.io/kwok", "sigs.k8s.io/gateway-api", "github.com/envoyproxy/gateway"),
)

KSERVE_CONTROLLER = Group(
    name="kserve",
    title="KServe",
    parts=(
        Part(
            name="kserve-manager",
            version=KSERVE,
            package="github.com/kserve/kserve/cmd/manager",
            built_as="manager",
        ),
    ),
    ldflags="",
    needs_gib=5,
    keeps=("github.com/kserve/kserve",),
)

PULUMI_ENGINE = Group(
    name="pulumi",
    title="the Pulumi engine and its Kubernetes provider",
    parts=(
        Part(
            name="pulumi",
            version=PULUMI,
            package="github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
            built_as="pulumi",
            probe=("version",),
        ),
        # Not kept under its file's name: beside the engine, which is on PATH, it would be a plugin on PATH.
        Part(
            name="pulumi-kubernetes",
            version=KUBERNETES_PROVIDER,
            package=f"{_PROVIDER_MODULE}/cmd/pulumi-resource-kubernetes",
            built_as="pulumi-resource-kubernetes",
            plugin="resource-kubernetes",
        ),
    ),
    ldflags=" ".join(
        [
            f"-X {_PULUMI_VERSION}.Version={PULUMI}",
            f"-X {_PROVIDER_MODULE}/pkg/version.Version={KUBERNETES_PROVIDER}",
        ]
    ),
    needs_gib=8,
    patch=provider_patch.PATCH,
)

KUEUE_CONTROLLER = Group(
    name="kueue",
    title="Kueue",
    parts=(
        Part(
            name="kueue-manager",
            version=KUEUE,
            package="sigs.k8s.io/kueue/cmd/kueue",
            built_as="kueue",
        ),
    ),
    ldflags="",
    needs_gib=4,
    keeps=("sigs.k8s.io/kueue",),
    optional=True,
)

# The longest build first.
GROUPS = (CLUSTER, KSERVE_CONTROLLER, PULUMI_ENGINE, KUEUE_CONTROLLER)

ENVOY_PROBE = ("--version",)

DATA_MODULES = (
    DataModule(module="github.com/kserve/kserve", folders=("config",)),
    DataModule(module="sigs.k8s.io/kwok", folders=("kustomize",)),
    DataModule(module="sigs.k8s.io/gateway-api", folders=("config/crd",)),
    DataModule(module="github.com/envoyproxy/gateway", folders=("charts/gateway-crds-helm",)),
    DataModule(module="sigs.k8s.io/gateway-api-inference-extension", folders=("config/crd",)),
    DataModule(module="sigs.k8s.io/lws", folders=("config/crd",)),
    DataModule(module="sigs.k8s.io/kueue", folders=("config/components/crd", "config/components/webhook")),
    DataModule(module="github.com/kedacore/keda/v2", folders=("config/crd",)),
    DataModule(module="github.com/cert-manager/cert-manager", folders=("deploy/crds",)),
    DataModule(module="github.com/envoyproxy/ai-gateway", folders=("manifests/charts/ai-gateway-crds-helm",)),
    # No cluster of ours has it: a workflow is checked by its definitions.
    DataModule(module="github.com/tektoncd/pipeline", folders=("config/300-crds",)),
)


def group_of(name: str) -> Group:
    """Return the group that builds binary `name`; KeyError when there is none."""
    for group in GROUPS:
        if any(part.name == name for part in group.parts):
            return group
    raise KeyError(name)
