"""The loopback patch applies to the source it was written for and to nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from embedded.toolchain.gateway_patch import PATCH
from embedded.toolchain.patch import Edit
from onprem_agents.errors import EnvironmentProblem


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A tree that holds exactly the texts that the patch replaces."""
    for edit in PATCH.edits:
        file = tmp_path / edit.file
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a", encoding="utf-8") as sink:
            sink.write(f"{edit.old}\n" * edit.times)
    return tmp_path


def test_nothing_that_listens_elsewhere_is_left(source: Path) -> None:
    PATCH.apply(source)

    text = "".join(file.read_text(encoding="utf-8") for file in source.rglob("*.go"))
    assert "0.0.0.0" not in text  # noqa: S104 - the address that must be gone
    assert '"/certs' not in text
    assert 'fmt.Sprintf(":%d"' not in text


def test_every_port_is_read_from_a_variable_of_its_own(source: Path) -> None:
    PATCH.apply(source)

    text = "".join(file.read_text(encoding="utf-8") for file in source.rglob("loopback.go"))
    for variable in (
        "ONPREM_GATEWAY_XDS_PORT",
        "ONPREM_GATEWAY_HEALTH_PORT",
        "ONPREM_GATEWAY_WEBHOOK_PORT",
        "ONPREM_GATEWAY_WASM_PORT",
        "ONPREM_GATEWAY_READINESS_PORT",
    ):
        assert text.count(f'"{variable}"') == 1


@pytest.mark.parametrize("edit", PATCH.edits, ids=lambda edit: f"{edit.file}: {edit.old[:30]}")
def test_a_text_that_upstream_changed_stops_the_build_and_is_named(source: Path, edit: Edit) -> None:
    file = source / edit.file
    file.write_text(file.read_text(encoding="utf-8").replace(edit.old, "changed", 1), encoding="utf-8")

    with pytest.raises(EnvironmentProblem) as failure:
        PATCH.apply(source)
    assert edit.file in str(failure.value)
    assert edit.old in str(failure.value).replace("\\'", "'")


def test_a_text_that_stands_there_once_more_stops_the_build(source: Path) -> None:
    edit = PATCH.edits[-1]
    with (source / edit.file).open("a", encoding="utf-8") as sink:
        sink.write(edit.old)

    with pytest.raises(EnvironmentProblem, match="2 times, expected 1"):
        PATCH.apply(source)


def test_a_file_that_upstream_removed_stops_the_build(source: Path) -> None:
    (source / "internal/utils/net/ip.go").unlink()

    with pytest.raises(EnvironmentProblem, match=r"internal/utils/net/ip\.go"):
        PATCH.apply(source)
