"""A platform that is newer than a developer's release: what its contract may hold, and what is said of it."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from onprem_agents import __version__
from onprem_agents.agents.diagnosis import Severity
from onprem_agents.agents.machine import Machine
from onprem_agents.cli import main
from onprem_agents.contract.connection_file import parse, read
from onprem_agents.errors import InvalidInput, Problem
from onprem_agents.probes.local import drift_of_contract
from tests.unit.contract_samples import CONTRACT, changed, contract

pytestmark = pytest.mark.unit

NEWER: list[tuple[tuple[str | int, ...], Any]] = [
    (("regions",), [{"name": "north", "weight": 2}]),
    (("support", "chat"), "https://chat.example.internal"),
    (("auth", "rotation"), {"days": 90}),
    (("tls", "pins"), []),
    (("timeouts", "queueSeconds"), 30),
    (("roles", 1, "price"), None),
    (("roles", 0, "thinking", "steps"), ["plan"]),
    (("roles", 0, "maxToolTokens"), 4096),
    (("baseURL",), "https://agents.example.internal/v1"),
]


def with_all(*newer: tuple[tuple[str | int, ...], Any]) -> str:
    data: Any = copy.deepcopy(CONTRACT)
    for path, value in newer:
        node = data
        for step in path[:-1]:
            node = node[step]
        node[path[-1]] = value
    return json.dumps(data)


def refused(text: str) -> tuple[Problem, ...]:
    with pytest.raises(InvalidInput) as caught:
        parse(text, "contract.json")
    return caught.value.problems


@pytest.mark.parametrize(("path", "value"), NEWER, ids=lambda value: str(value)[:40])
def test_a_key_that_this_release_does_not_know_is_left_out(path: tuple[str | int, ...], value: Any) -> None:
    found = read(changed(*path, value=value), "contract.json")

    assert found.connection == contract(), "all else is read as ever"
    assert len(found.unknown) == 1
    assert found.unknown[0].endswith(str(path[-1]))


def test_all_of_them_are_told_in_one_note_with_the_way_out() -> None:
    found = read(with_all(*NEWER), "contract.json")

    assert len(found.unknown) == len(NEWER)
    assert found.note is not None
    assert found.note.startswith(
        f"your onprem-agents ({__version__}) is older than the platform, so auth.rotation"
    )
    assert "and 4 more" in found.note
    assert "; update: pip install --upgrade onprem-coding-agents" in found.note


def test_a_contract_of_this_release_is_read_without_a_word() -> None:
    assert read(json.dumps(CONTRACT), "contract.json").note is None


def test_a_support_of_which_this_release_knows_nothing_is_no_support() -> None:
    assert parse(changed("support", value={"pager": "4711"}), "contract.json").support_lines == ()


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("developerKeys",), {"alice": "x"}),
        (("limits",), {"perDay": 5, "authToken": "x"}),
        (("extra",), [[{"deep": {"passwd": "x"}}]]),
        (("support", "pagerToken"), "x"),
        (("note",), "use sk-local1234567 for now"),
        (("roles", 0, "sample"), ["Bearer abcdef123456"]),
        (("auth", "key"), "hunter2"),
        (("credentials",), None),
        (("sk-proj-Zm9vYmFyYmF6",), 1),
    ],
    ids=lambda value: str(value)[:30],
)
def test_an_unknown_key_that_holds_something_like_a_secret_is_refused_and_never_repeated(
    path: tuple[str | int, ...], value: Any
) -> None:
    (problem,) = refused(changed(*path, value=value))

    assert problem.why == "a contract never carries a secret"
    for secret in ("hunter2", "sk-local", "abcdef", "sk-proj"):
        assert secret not in str(problem)


def test_a_secret_among_new_keys_is_told_with_every_other_problem() -> None:
    text = with_all(*NEWER, (("clientSecret",), "x"), (("roles", 0, "contextTokens"), 5))

    assert {problem.where for problem in refused(text)} == {"clientSecret", "roles[0].contextTokens"}


def test_agents_that_this_release_does_not_know_are_ignored() -> None:
    data = copy.deepcopy(CONTRACT)
    data["testedAgents"]["gardener"] = "3.1.0"
    for role in data["roles"]:
        role["supportedAgents"].append("gardener")
        role["unsupportedReasons"]["harvester"] = "it needs water"

    found = read(json.dumps(data), "contract.json")

    assert found.note is None
    told = onprem("setup", "all", "--print", "--json", stdin=json.dumps(data))
    assert told.exit_code == 0, told.output
    assert "gardener" not in told.output


@pytest.fixture(autouse=True)
def _empty_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ONPREM_API_KEY", raising=False)


def onprem(*args: str, stdin: str | None = None) -> Result:
    result = CliRunner().invoke(main, args, input=stdin)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def test_setup_says_once_that_it_is_older_and_goes_on() -> None:
    done = onprem("setup", "opencode", "--print", "--json", stdin=changed("regions", value=[]))

    assert done.exit_code == 0, done.output
    assert (
        done.stderr.count("is older than the platform, so regions of its contract is left out; update:") == 1
    )
    assert json.loads(done.stdout)["files"], "standard output is the configuration alone"


def test_setup_ends_with_whom_to_ask(tmp_path: Path) -> None:
    (tmp_path / "contract.json").write_text(json.dumps(CONTRACT))

    done = onprem("setup", "opencode", "--connection", "contract.json", "--yes", "--no-shell")

    assert done.exit_code == 0, done.output
    assert done.stdout.endswith(
        "Is the platform well? https://status.example.internal\nHelp: #coding-agents\n"
    )


def test_another_support_address_is_no_reason_to_set_up_again(tmp_path: Path) -> None:
    machine = Machine(home=tmp_path, project=tmp_path, root=tmp_path, variables={})
    machine.contract_file.parent.mkdir(parents=True)
    machine.contract_file.write_text(contract().to_json())

    moved = drift_of_contract(contract("support", "address", value="call 4711"), machine)
    renamed = drift_of_contract(contract("modelAliases", value=[]), machine)

    assert moved is not None
    assert renamed is not None
    assert (moved.severity, renamed.severity) == (Severity.OK, Severity.BROKEN)


@pytest.mark.parametrize(
    ("support", "lines"),
    [
        (None, ()),
        ({"address": "call 4711 (8 to 18)"}, ("Help: call 4711 (8 to 18)",)),
        (
            {"statusPage": "http://status.example.internal:8080/agents?of=team#now"},
            ("Is the platform well? http://status.example.internal:8080/agents?of=team#now",),
        ),
    ],
)
def test_what_is_not_said_of_support_is_not_told(
    support: dict[str, str] | None, lines: tuple[str, ...]
) -> None:
    assert contract("support", value=support).support_lines == lines


@pytest.mark.parametrize(
    "page",
    [
        "status.example.internal",
        "ftp://status.example.internal",
        "https://user:pw@status.example.internal",
        "https://status.example.internal/a b",
        "https://status.example.internal/$(id)",
        "https://status.example.internal/\x1b[2J",
        "https://-x",
        "https://",
        "javascript:alert(1)",
        "https://status.example.internal/sk-local1234567",
    ],
)
def test_a_status_page_that_is_no_plain_address_is_refused(page: str) -> None:
    assert len(refused(changed("support", "statusPage", value=page))) == 1


@pytest.mark.parametrize("pattern", ["*", "claude", "cla*ude", "claude-**", ".*", "", "a b*", "-x*"])
def test_an_alias_that_is_no_beginning_of_a_name_is_refused(pattern: str) -> None:
    assert refused(changed("modelAliases", value=[pattern]))[0].where == "modelAliases[0]"
