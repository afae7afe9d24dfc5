"""Data folders come from the pinned module alone; a changed one is refused, a kept one not fetched again."""

from __future__ import annotations

import io
import re
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from embedded.layout import Layout
from embedded.toolchain import data_modules, module_dir, pins
from embedded.toolchain.pins import DATA_MODULES, MODULES
from onprem_agents.errors import EnvironmentProblem

MODULE, VERSION = "sigs.k8s.io/lws", "v0.8.0"
_REQUIRED = re.compile(r"^\s*(?:require )?(\S+) (v\S+)", re.MULTILINE)


@pytest.fixture
def proxy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A module proxy in a folder that serves a made-up module under a real name."""
    if shutil.which("go") is None:
        pytest.skip("Go is not installed")
    folder = tmp_path / "proxy" / MODULE / "@v"
    folder.mkdir(parents=True)
    (folder / f"{VERSION}.info").write_text(f'{{"Version": "{VERSION}"}}', encoding="utf-8")
    (folder / f"{VERSION}.mod").write_text(f"module {MODULE}\n", encoding="utf-8")
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr(f"{MODULE}@{VERSION}/go.mod", f"module {MODULE}\n")
        archive.writestr(f"{MODULE}@{VERSION}/config/crd/bases/one.yaml", "kind: CustomResourceDefinition\n")
    (folder / f"{VERSION}.zip").write_bytes(content.getvalue())
    monkeypatch.setenv("GOPROXY", (tmp_path / "proxy").as_uri())
    monkeypatch.setenv("GOMODCACHE", str(tmp_path / "empty"))
    monkeypatch.setenv("GOFLAGS", "")
    return folder


def test_a_module_whose_content_is_not_the_pinned_one_is_refused(layout: Layout, proxy: Path) -> None:
    with pytest.raises(EnvironmentProblem, match=r"has the checksum h1:.*not h1:DdhJ8QabwTfWgbgaHH2gdf8tw"):
        module_dir(layout, MODULE)

    assert proxy.is_dir()
    assert [folder.name for folder in layout.toolchain.rglob("*lws*")] == [], "nothing of it is kept"


def test_a_module_that_is_the_pinned_one_is_kept_and_not_fetched_again(
    layout: Layout, proxy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The checksum of the made-up module, as Go computes it; the refusal above shows that it is compared.
    monkeypatch.setattr(data_modules, "expected_sum", _sum_told_by_a_refusal(layout))

    folder = module_dir(layout, MODULE)
    shutil.rmtree(proxy)

    assert (folder / "config/crd/bases/one.yaml").read_text(encoding="utf-8").startswith("kind: Custom")
    assert module_dir(layout, MODULE) == folder


def _sum_told_by_a_refusal(layout: Layout) -> Callable[[str], str]:
    with pytest.raises(EnvironmentProblem) as refusal:
        module_dir(layout, MODULE)
    found = re.search(r"has the checksum (h1:\S+),", str(refusal.value))
    assert found is not None
    return lambda _module: found[1]


def test_a_proxy_out_of_reach_is_one_sentence(layout: Layout, proxy: Path) -> None:
    shutil.rmtree(proxy)

    with pytest.raises(EnvironmentProblem, match=rf"{MODULE} {VERSION} cannot be downloaded \(GOPROXY=file:"):
        module_dir(layout, MODULE)


def test_every_data_module_has_a_version_and_a_checksum() -> None:
    for pinned in DATA_MODULES:
        assert data_modules.module_version(pinned.module).startswith("v")
        assert data_modules.expected_sum(pinned.module).startswith("h1:")


def test_a_module_that_is_built_and_read_has_one_version() -> None:
    read = dict(_REQUIRED.findall((MODULES / "crds" / "go.mod").read_text(encoding="utf-8")))
    for group in ("cluster", "kserve", "kueue"):
        built = dict(_REQUIRED.findall((MODULES / group / "go.mod").read_text(encoding="utf-8")))
        for module in (
            "github.com/kserve/kserve",
            "sigs.k8s.io/kwok",
            "github.com/envoyproxy/gateway",
            "sigs.k8s.io/kueue",
        ):
            assert built.get(module, read[module]) == read[module], module


@pytest.mark.parametrize(
    ("group", "module", "version"),
    [
        ("cluster", "go.etcd.io/etcd/server/v3", pins.ETCD),
        ("cluster", "k8s.io/kubernetes", pins.KUBERNETES),
        ("cluster", "sigs.k8s.io/kwok", pins.KWOK),
        ("cluster", "github.com/envoyproxy/gateway", pins.ENVOY_GATEWAY),
        ("kserve", "github.com/kserve/kserve", pins.KSERVE),
        ("kueue", "sigs.k8s.io/kueue", pins.KUEUE),
        ("pulumi", "github.com/pulumi/pulumi/pkg/v3", pins.PULUMI),
        ("pulumi", "github.com/pulumi/pulumi/sdk/v3", pins.PULUMI),
    ],
)
def test_the_version_that_is_shown_is_the_version_that_is_built(
    group: str, module: str, version: str
) -> None:
    built = dict(_REQUIRED.findall((MODULES / group / "go.mod").read_text(encoding="utf-8")))

    assert built[module] == f"v{version}"
