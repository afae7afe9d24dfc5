"""The table of official files: true to the pins, and complete for the supported platforms."""

from __future__ import annotations

import pytest

from embedded.toolchain import NAMES
from embedded.toolchain.official import RELEASES, release_of
from embedded.toolchain.pins import GROUPS


def test_every_checksum_is_one_and_no_two_files_share_it() -> None:
    sums = [file.sha256 for release in RELEASES for file in release.files.values()]

    assert all(len(bytes.fromhex(checksum)) == 32 for checksum in sums)
    assert len(set(sums)) == len(sums)


def test_every_row_has_a_file_for_each_supported_platform_and_for_no_other() -> None:
    assert {frozenset(release.files) for release in RELEASES} == {frozenset({"linux-amd64", "linux-arm64"})}


def test_every_row_is_a_part_of_the_pinned_version_and_names_it_in_each_path() -> None:
    versions = {part.name: part.version for group in GROUPS for part in group.parts}
    for release in RELEASES:
        assert release.version == versions[release.part]
        assert all(release.version in file.path for file in release.files.values())


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_on_linux_all_but_four_parts_have_an_official_file(
    machine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform.machine", lambda: machine)
    monkeypatch.setattr("sys.platform", "linux")

    compiled = [name for name in NAMES if name != "envoy" and release_of(name) is None]

    assert compiled == ["etcd", "envoy-gateway", "kserve-manager", "pulumi-kubernetes"]
