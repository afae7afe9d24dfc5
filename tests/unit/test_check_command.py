"""`onprem-agents check`: a change of a stack file in a Git repository, stopped with file and key or let through."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from onprem_agents.cli import main
from tests.unit.repositories import git

pytestmark = pytest.mark.unit

STACKS = Path(__file__).parents[2] / "stacks"
FILE = "Pulumi.team.yaml"
SESSIONS = "        sessions: 24\n"


@pytest.fixture
def stacks(tmp_path: Path) -> Path:
    """The folder of stack files in a repository whose last commit has `team`."""
    folder = tmp_path / "repository" / "stacks"
    folder.mkdir(parents=True)
    (folder / FILE).write_text((STACKS / FILE).read_text())
    git(folder.parent, "init", "--quiet", "--initial-branch", "main")
    git(folder.parent, "add", "--all")
    git(folder.parent, "commit", "--quiet", "--message", "The stack")
    return folder


def edit(stacks: Path, old: str, new: str) -> None:
    text = (stacks / FILE).read_text()
    assert text.count(old) == 1
    (stacks / FILE).write_text(text.replace(old, new))


def check(stacks: Path, *words: str) -> Result:
    result = CliRunner().invoke(main, ["check", "team", "--agent", "--stacks", str(stacks), *words])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def problems(stacks: Path, *words: str) -> dict[str, dict[str, str]]:
    result = check(stacks, "--json", *words)
    assert result.exit_code == 1, result.output
    told = json.loads(result.stdout)
    assert {finding["file"] for finding in told["findings"]} == {str(stacks / FILE)}
    of_the_stack = (each for each in told["findings"] if each["policy"] in ("stack-plans", "people-decide"))
    return {finding["resource"].removeprefix("stack team: "): finding for finding in of_the_stack}


def test_a_stack_that_nobody_touched_passes(stacks: Path) -> None:
    result = check(stacks)

    assert result.exit_code == 0, result.output
    assert result.stdout.endswith(" rules, nothing refused, 0 to look at\n")


def test_what_is_free_passes_and_is_told_as_json(stacks: Path) -> None:
    edit(stacks, "context: 131072", "context: 65536")
    result = check(stacks, "--json")

    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["findings"] == []


def test_eager_mode_is_stopped_with_file_and_key(stacks: Path) -> None:
    edit(stacks, SESSIONS, f"{SESSIONS}        extraArgs: [--enforce-eager]\n")
    result = check(stacks)

    assert result.exit_code == 1
    line = (stacks / FILE).read_text().splitlines().index("        extraArgs: [--enforce-eager]") + 1
    assert result.stdout.startswith(f"{stacks / FILE}:{line}: mandatory: people-decide\n")
    assert "platform.models[0].extraArgs: '--enforce-eager', before nothing" in result.stdout
    assert "each token takes longer without CUDA graphs" in result.stdout


@pytest.mark.parametrize("line", ["enforceEager: true", "env: {ENFORCE_EAGER: 'True'}"])
def test_eager_mode_by_another_way_is_stopped_too(stacks: Path, line: str) -> None:
    edit(stacks, SESSIONS, f"{SESSIONS}        {line}\n")

    assert f"platform.models[0].{line.partition(':')[0]}" in problems(stacks)


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ("google/gemma-4-E4B-it", "openai/gpt-5.2", "platform.models[1].model"),
        ("google/gemma-4-E4B-it", "claude-opus-5", "platform.models[1].model"),
        (SESSIONS, f"{SESSIONS}        source: https://api.openai.com/v1\n", "platform.models[0].source"),
        (SESSIONS, f"{SESSIONS}        baseUrl: https://api.openai.com/v1\n", "platform.models[0].baseUrl"),
        (SESSIONS, f"{SESSIONS}        env: {{OPENAI_BASE_URL: x}}\n", "platform.models[0].env"),
        (
            "    access:\n",
            "    upstreams: {coder: https://api.openai.com}\n    access:\n",
            "platform.upstreams",
        ),
        ("    access:\n", "    translation: litellm\n    access:\n", "platform.translation"),
        (
            "    access:\n",
            "    network: {egress: [{cidr: 0.0.0.0/0, ports: [443]}]}\n    access:\n",
            "platform.network",
        ),
    ],
)
def test_a_way_to_a_hosted_model_is_stopped_with_file_and_key(
    stacks: Path, old: str, new: str, where: str
) -> None:
    edit(stacks, old, new)

    assert where in problems(stacks)


def test_what_does_not_plan_and_what_a_person_decides_are_told_together(stacks: Path) -> None:
    edit(stacks, "context: 131072", "context: 99999999")
    edit(stacks, "host: agents.example.internal", "host: others.example.internal")

    assert {"platform.access.host", "platform.models[0].context"} <= set(problems(stacks))


@pytest.mark.parametrize("name", ["policy-config.json", "policy-config.team.json"])
def test_what_lets_a_policy_pass_is_stopped_too(stacks: Path, name: str) -> None:
    (stacks / name).write_text('{"serving": "disabled"}')
    assert set(problems(stacks)) == {name}

    git(stacks, "add", "--all")
    git(stacks, "commit", "--quiet", "--message", "A person's own")
    assert check(stacks).exit_code == 0
    (stacks / name).unlink()
    assert set(problems(stacks)) == {name}


def test_a_committed_change_is_told_since_the_main_branch(stacks: Path) -> None:
    git(stacks, "switch", "--quiet", "--create", "work")
    edit(stacks, SESSIONS, f"{SESSIONS}        extraArgs: [--disable-cascade-attn]\n")
    git(stacks, "commit", "--quiet", "--all", "--message", "Faster")

    assert set(problems(stacks, "--since", "main")) == {"platform.models[0].extraArgs"}
    git(stacks, "update-ref", "refs/remotes/origin/main", "main")
    git(stacks, "symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main")
    assert set(problems(stacks)) == {"platform.models[0].extraArgs"}, "a clone knows its main branch"


def test_what_others_did_meanwhile_is_not_held_against_the_work(stacks: Path) -> None:
    git(stacks, "switch", "--quiet", "--create", "work")
    edit(stacks, "context: 131072", "context: 65536")
    git(stacks, "commit", "--quiet", "--all", "--message", "Less context")
    git(stacks, "switch", "--quiet", "main")
    edit(stacks, "host: agents.example.internal", "host: others.example.internal")
    git(stacks, "commit", "--quiet", "--all", "--message", "Another host")
    git(stacks, "switch", "--quiet", "work")

    assert check(stacks, "--since", "main").exit_code == 0


@pytest.mark.parametrize("name", ["nowhere", "--output=x", "HEAD:stacks"])
def test_a_name_that_means_no_commit_is_a_sentence(stacks: Path, name: str) -> None:
    result = check(stacks, f"--since={name}")

    assert result.exit_code == 2
    assert "the repository knows no commit of that name" in result.stderr
    assert not (stacks / "x").exists()


def test_a_folder_outside_of_any_repository_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    (tmp_path / FILE).write_text((STACKS / FILE).read_text())
    result = check(tmp_path)

    assert result.exit_code == 2
    assert "is in no Git repository with a commit" in result.stderr


def test_a_file_that_is_no_yaml_is_told_as_that_alone(stacks: Path) -> None:
    (stacks / FILE).write_text("config: [\n")
    result = check(stacks)

    assert result.exit_code == 1
    assert "1 refused" in result.stdout
    assert "it is not valid YAML" in result.stdout
