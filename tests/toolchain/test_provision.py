"""Where a binary comes from: PATH, then its official file, then a build, and that once."""

from __future__ import annotations

import hashlib
import json
import os
import sys
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from embedded.layout import Layout
from embedded.lock import hold
from embedded.toolchain import NAMES, build, present, provision
from embedded.toolchain.official import File, Release, platform_name
from embedded.toolchain.pins import GROUPS, KSERVE_CONTROLLER, PULUMI_ENGINE
from onprem_agents.errors import EnvironmentProblem
from tests.toolchain.conftest import Shown
from tests.toolchain.site import send, site

# Nothing listens on the discard port of loopback.
NOWHERE = "http://127.0.0.1:9"
Put = Callable[[str, str], Path]
Calls = Callable[[], list[str]]


def test_a_copy_on_path_of_the_pinned_minor_version_is_used(layout: Layout, shown: Shown, put: Put) -> None:
    installed = put("etcd", "#!/bin/sh\necho 'etcd Version: 3.6.99'\n")

    etcd = provision(layout, ["etcd"], shown.progress)["etcd"]

    assert (etcd.path, etcd.version, etcd.origin) == (installed, "3.6.99", "path")


def test_a_copy_on_path_of_another_minor_version_is_passed_over(layout: Layout, put: Put) -> None:
    put("etcd", "#!/bin/sh\necho 'etcd Version: 3.5.21'\n")

    assert "etcd" not in present(layout, ["etcd"])


def test_a_copy_on_path_that_does_not_run_is_passed_over(layout: Layout, put: Put) -> None:
    put("etcd", "#!/bin/sh\necho 'etcd Version: 3.6.16'\nexit 1\n")

    assert "etcd" not in present(layout, ["etcd"])


def test_what_no_source_on_path_can_replace_is_built_and_kept(
    layout: Layout, shown: Shown, go_calls: Calls, put: Put
) -> None:
    put("kserve-manager", "#!/bin/sh\necho 0.20.0\n")  # states no version upstream, so never trusted

    manager = provision(layout, ["kserve-manager"], shown.progress)["kserve-manager"]

    assert (manager.origin, manager.version, manager.path.name) == ("build", "0.20.0", "kserve-manager")
    assert go_calls() == ["env", "list", "build"]
    assert not (layout.toolchain / "work" / "kserve").exists(), "sources and compiler output stay behind"
    assert "compile KServe" in shown.text


def test_what_is_in_the_cache_is_not_built_again(layout: Layout, shown: Shown, go_calls: Calls) -> None:
    first = provision(layout, ["kserve-manager"], shown.progress)
    before = go_calls()

    assert provision(layout, ["kserve-manager"], shown.progress) == first
    assert go_calls() == before


def test_a_half_noted_binary_is_built_again(layout: Layout, shown: Shown, go_calls: Calls) -> None:
    manager = provision(layout, ["kserve-manager"], shown.progress)["kserve-manager"]
    manager.path.with_name("kserve-manager.json").write_text("{", encoding="utf-8")

    provision(layout, ["kserve-manager"], shown.progress)

    assert go_calls().count("build") == 2


def test_the_engine_is_built_when_the_release_site_is_out_of_reach(
    layout: Layout, shown: Shown, go_calls: Calls
) -> None:
    engine = provision(layout, ["pulumi"], shown.progress, site=NOWHERE)["pulumi"]

    assert engine.origin == "build"
    assert engine.path.parent == build.binary_folder(layout, PULUMI_ENGINE)
    assert "building it instead" in shown.text
    assert "build" in go_calls()


CONTROL_PLANE = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok")
PROGRAM = b"#!/bin/sh\n"


@pytest.fixture
def released(monkeypatch: pytest.MonkeyPatch) -> None:
    """Official files of four parts on any machine; each is the same made-up program."""
    checksum = hashlib.sha256(PROGRAM).hexdigest()

    def release_of(part: str) -> Release | None:
        files = {platform_name(): File(path=f"files/{part}", sha256=checksum)}
        release = Release(part=part, version="1.36.3", site=NOWHERE, files=files)
        return release if part in CONTROL_PLANE else None

    # The package has a function of the module's name.
    monkeypatch.setattr(sys.modules["embedded.toolchain.provision"], "release_of", release_of)


@pytest.mark.usefixtures("released")
def test_what_has_official_files_is_downloaded_all_at_once_and_needs_no_go(
    layout: Layout, shown: Shown, bin_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(bin_folder))
    together = threading.Barrier(len(CONTROL_PLANE))

    def answer(handler: BaseHTTPRequestHandler) -> None:
        together.wait(10)  # nobody is answered before all have asked
        send(PROGRAM)(handler)

    with site(answer) as url:
        binaries = provision(layout, CONTROL_PLANE, shown.progress, site=url)

    assert {binary.origin for binary in binaries.values()} == {"download"}
    assert present(layout, CONTROL_PLANE) == binaries


@pytest.mark.usefixtures("released")
def test_what_must_be_compiled_does_not_wait_for_downloads(
    layout: Layout, shown: Shown, go_calls: Calls
) -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        _until(lambda: "build" in go_calls())
        send(PROGRAM)(handler)

    with site(answer) as url:
        binaries = provision(layout, ["kube-scheduler", "etcd"], shown.progress, site=url)

    assert {name: binary.origin for name, binary in binaries.items()} == {
        "kube-scheduler": "download",
        "etcd": "build",
    }
    assert go_calls().count("build") == 1


@pytest.mark.usefixtures("released")
def test_what_no_download_brings_is_compiled_beside_the_rest(
    layout: Layout, shown: Shown, go_calls: Calls
) -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        _until(lambda: "build" in go_calls())
        send(b"another program" if handler.path.endswith("kwok") else PROGRAM)(handler)

    with site(answer) as url:
        binaries = provision(layout, [*CONTROL_PLANE, "etcd"], shown.progress, site=url)

    built = {name for name, binary in binaries.items() if binary.origin == "build"}
    assert built == {"etcd", "kwok"}
    assert set(binaries) == {*CONTROL_PLANE, "etcd"}
    assert go_calls().count("build") == 2, "etcd at once, kwok when its file was refused"
    assert shown.text.count("building it instead") == 1


@pytest.mark.usefixtures("released")
def test_without_a_network_everything_is_compiled_in_one_go(
    layout: Layout, shown: Shown, go_calls: Calls
) -> None:
    binaries = provision(layout, [*CONTROL_PLANE, "etcd"], shown.progress, site=NOWHERE)

    assert {binary.origin for binary in binaries.values()} == {"build"}
    assert go_calls().count("build") == 1
    assert shown.text.count("building it instead") == len(CONTROL_PLANE)


@pytest.mark.usefixtures("released")
def test_an_old_go_is_refused_before_anything_is_downloaded(
    layout: Layout, shown: Shown, go_calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONPREM_FAKE_GO_VERSION", "go1.25.4")
    asked: list[str] = []

    with (
        site(lambda handler: asked.append(handler.path)) as url,
        pytest.raises(EnvironmentProblem, match=r"Go 1\.25\.4 .* is too old, cluster needs Go"),
    ):
        provision(layout, ["kwok", "etcd"], shown.progress, site=url)

    assert asked == []
    assert go_calls() == ["env"]


def test_a_missing_go_is_one_sentence_with_the_version_to_install(
    layout: Layout, shown: Shown, bin_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(bin_folder))

    with pytest.raises(EnvironmentProblem, match=r"Go is not installed .* install Go 1\.26\.7 or later"):
        provision(layout, ["kserve-manager"], shown.progress)


def test_an_old_go_is_one_sentence_with_found_and_needed_version(
    layout: Layout, shown: Shown, go_calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONPREM_FAKE_GO_VERSION", "go1.25.4")

    with pytest.raises(EnvironmentProblem, match=r"Go 1\.25\.4 .* is too old, kserve needs Go 1\.26\.0"):
        provision(layout, ["kserve-manager"], shown.progress)
    assert go_calls() == ["env"], "nothing is downloaded before the version is known to fit"


@pytest.mark.parametrize(
    ("printed", "told"),
    [
        ("write /x: no space left on device", "the disk is full"),
        ("signal: killed", "was killed, most likely for want of memory"),
        (
            "example.org/a: cannot find main module",
            "the Go build failed: example.org/a: cannot find main module",
        ),
        ("go: example.org/m@v1: Get https://p: dial tcp: no route", "a Go module cannot be downloaded"),
    ],
)
def test_a_failed_build_says_why_and_names_the_log(
    layout: Layout, shown: Shown, go_calls: Calls, monkeypatch: pytest.MonkeyPatch, printed: str, told: str
) -> None:
    monkeypatch.setenv("ONPREM_FAKE_GO_BUILD", f"echo '{printed}' >&2; exit 1")

    with pytest.raises(EnvironmentProblem, match=told) as failure:
        provision(layout, ["kserve-manager"], shown.progress)

    log = layout.logs / "build-kserve.log"
    assert str(log) in str(failure.value)
    assert printed in log.read_text(encoding="utf-8")
    assert "build" in go_calls()
    assert present(layout, ["kserve-manager"]) == {}


def test_too_little_disk_space_is_said_before_anything_is_downloaded(
    layout: Layout, shown: Shown, go_calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Usage:
        free = 1 << 20

    monkeypatch.setattr("shutil.disk_usage", lambda _path: Usage)

    with pytest.raises(EnvironmentProblem, match=r"KServe takes 5\.0 GiB .* has 0\.0 GiB free"):
        provision(layout, ["kserve-manager"], shown.progress)
    assert go_calls() == ["env"]


def test_a_second_build_of_the_same_thing_waits_and_says_for_whom(
    layout: Layout, shown: Shown, go_calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "_LOCK_SECONDS", 0.5)

    with (
        hold(layout.toolchain / "kserve.lock", command="build kserve"),
        pytest.raises(EnvironmentProblem, match=rf"`build kserve` \(pid {os.getpid()}, since "),
    ):
        provision(layout, ["kserve-manager"], shown.progress)

    assert "waiting for `build kserve`" in shown.text
    assert "build" not in go_calls()


def test_another_patch_module_list_or_flag_is_another_folder(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = build.binary_folder(layout, build_group := KSERVE_CONTROLLER)
    modules = layout.cache / "modules" / "kserve"
    modules.mkdir(parents=True)
    for name in ("go.mod", "go.sum"):
        modules.joinpath(name).write_text("changed", encoding="utf-8")
    monkeypatch.setattr(build, "MODULES", modules.parent)

    assert build.binary_folder(layout, build_group) != before


def test_the_record_beside_a_binary_holds_name_version_and_origin(
    layout: Layout, shown: Shown, go_calls: Calls
) -> None:
    manager = provision(layout, ["kserve-manager"], shown.progress)["kserve-manager"]

    note = json.loads(manager.path.with_name("kserve-manager.json").read_text(encoding="utf-8"))
    assert note == {"name": "kserve-manager", "version": "0.20.0", "origin": "build"}
    assert go_calls()


def _until(reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not reached():
        assert time.monotonic() < deadline, "not reached within 10 s"
        time.sleep(0.05)


def test_an_optional_program_is_brought_to_those_alone_that_name_it() -> None:
    optional = {part.name for group in GROUPS if group.optional for part in group.parts}

    assert optional == {"kueue-manager"}
    assert not optional & set(NAMES), "it would be compiled before every run of the test suite"


def test_a_name_that_no_group_has_is_refused(layout: Layout, shown: Shown) -> None:
    with pytest.raises(KeyError, match="kueue-manager"):
        provision(layout, ["kueue"], shown.progress)
