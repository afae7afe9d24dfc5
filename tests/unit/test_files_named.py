"""A file that a person names on the command line and that cannot be read: one shape of message for all of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from onprem_agents.cli import main
from onprem_agents.errors import InvalidInput
from onprem_agents.files import read_text

pytestmark = pytest.mark.unit

STACKS = Path(__file__).parents[2] / "stacks"
# Commands up to the path, by what the file is called.
NAMED = {
    "a file of prices": ("advise", "--gpu", "L40S", "--prices"),
    "a config.json": ("fit", "--gpu", "L40S", "--config-json"),
    "a file of runs": ("fit", "--cases"),
    "a profile": ("bench", "--host", "agents.example.internal", "--profile"),
}
READ_STACKS = ("context", "explain", "plan", "preflight", "render", "report")


def run(*words: str) -> Result:
    return CliRunner().invoke(main, list(words))


def problem(done: Result) -> tuple[str, str, str]:
    """Return the place, what was found and what to do, of an answer that holds one problem in text."""
    assert done.exit_code == 1, done.output
    assert "Traceback" not in done.output
    head, where, found, why, fix = done.stderr.rstrip("\n").split("\n")
    assert head.endswith(": 1 problem")
    assert why.startswith("  why:   ")
    return where, found.removeprefix("  found: "), fix.removeprefix("  fix:   ")


@pytest.mark.parametrize("what", NAMED)
@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("missing", "no such file"),
        ("in no folder", "no such folder as "),
        ("folder", "a folder"),
        ("through a file", "a path that leads through a file"),
        ("binary", "byte 0xff at position 2, which is no text"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_with_place_reason_and_remedy(
    tmp_path: Path, what: str, kind: str, told: str
) -> None:
    path = {"folder": tmp_path, "in no folder": tmp_path / "none" / "file"}.get(kind, tmp_path / "file")
    if kind in {"binary", "through a file"}:
        path.write_bytes(b"{}\xff\x00")
    if kind == "through a file":
        path /= "file"
    where, found, fix = problem(run(*NAMED[what], str(path)))
    assert where == str(path)
    assert found.startswith(told)
    assert fix.startswith("give ")


def test_a_file_that_may_not_be_read_is_told_as_such(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refused(*_: object, **__: object) -> None:  # the tests may run as root, who may read everything
        raise PermissionError(13, "Permission denied")

    path = tmp_path / "prices.yaml"
    monkeypatch.setattr(Path, "open", refused)
    with pytest.raises(InvalidInput) as caught:
        read_text(path, "a file of prices", fix="give another")
    assert caught.value.problems[0].found == "a file that you may not read"


@pytest.mark.parametrize("command", READ_STACKS)
def test_every_command_that_reads_a_stack_says_the_same_of_one_that_is_not_there(command: str) -> None:
    where, found, fix = problem(run(command, "teem", "--stacks", str(STACKS)))
    assert (where, found) == (str(STACKS / "Pulumi.teem.yaml"), "no such file")
    assert fix == "did you mean team? (or write it)"


@pytest.mark.parametrize("name", ["Pulumi.team.yaml", "stacks/Pulumi.team.yaml", "Pulumi.team"])
def test_the_file_of_a_stack_in_place_of_its_name_is_told_the_name(name: str) -> None:
    assert problem(run("plan", name, "--stacks", str(STACKS)))[2] == "did you mean team? (or write it)"


@pytest.mark.parametrize(
    ("folder", "found"),
    [("none", "no such folder as "), ("file", "a path that leads through a file"), (".", "no such file")],
)
def test_a_folder_without_stacks_is_told_with_its_option(tmp_path: Path, folder: str, found: str) -> None:
    (tmp_path / "file").touch()
    done = problem(run("report", "team", "--stacks", str(tmp_path / folder)))
    assert done[1].startswith(found)
    assert "--stacks" in done[2]


def test_a_file_that_cannot_be_read_is_told_in_json_too(tmp_path: Path) -> None:
    done = run("plan", "team", "--stacks", str(tmp_path / "none"), "--json")
    told = json.loads(done.stdout)["problems"][0]
    assert (told["where"], told["cause"]) == (str(tmp_path / "none" / "Pulumi.team.yaml"), "unreadable")
