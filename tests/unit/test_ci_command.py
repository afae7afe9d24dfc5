"""`onprem-agents ci`: the commands of each workflow, run in order on a repository with two branches."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from onprem_agents import __version__
from onprem_agents.advice.workflows import FORGES
from onprem_agents.cli import main
from onprem_agents.cli.review_text import MARK
from tests.unit.forge_stand_in import ForgeStandIn, forge_stand_in
from tests.unit.repositories import git

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
STACKS = ROOT / "stacks"
STACK = "Pulumi.24gb.yaml"
FILES = {
    "github": ".github/workflows/coding-platform.yaml",
    "gitlab": ".gitlab/coding-platform.yml",
    "tekton": ".tekton/coding-platform.yaml",
}
TOKEN = "not-a-real-token"


@pytest.fixture
def forge() -> Iterator[ForgeStandIn]:
    with forge_stand_in() as found:
        yield found


def run(*words: object, env: Mapping[str, str] | None = None) -> Result:
    result = CliRunner().invoke(main, ["ci", *map(str, words)], env=env)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository whose branch `work` asks less context of a stack than `main`, and has the three workflows."""
    folder = tmp_path / "repository"
    (folder / "stacks").mkdir(parents=True)
    text = (STACKS / STACK).read_text()
    (folder / "stacks" / STACK).write_text(text)
    git(tmp_path, "init", "--quiet", "--initial-branch", "main", str(folder))
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "The stack")
    git(folder, "switch", "--quiet", "--create", "work")
    platform = yaml.safe_load(text)["config"]["onprem-coding-agents:platform"]
    context = platform["models"][0]["context"]
    (folder / "stacks" / STACK).write_text(text.replace(f"context: {context}", f"context: {context // 2}"))
    for name in FORGES:
        assert run("init", name, "--into", folder, "--stacks", folder / "stacks").exit_code == 0
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "Less context")
    return folder


@pytest.fixture
def commands(tmp_path: Path) -> Path:
    """A folder with this `onprem-agents`, and a stand-in for pip that notes what it is to install."""
    folder = tmp_path / "bin"
    folder.mkdir()
    ours = (
        f"#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -c "
        "'from onprem_agents.cli import main; main()' \"$@\"\n"
    )
    stand_in = '#!/bin/sh\necho "stand-in for pip: $*" >> "$(dirname "$0")/installed"\n'
    for name, text in (("onprem-agents", ours), ("pip", stand_in)):
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    return folder


def steps(name: str, text: str, repository: Path, forge: ForgeStandIn) -> list[tuple[str, dict[str, str]]]:
    """Return the commands of a workflow with their variables, as its forge would hand them to a shell."""
    base, head = git(repository, "rev-parse", "main"), git(repository, "rev-parse", "HEAD")
    document = yaml.safe_load(text)
    if name == "github":
        told = {
            "${{ github.event.pull_request.base.sha }}": base,
            "${{ github.token }}": TOKEN,
            "${{ github.event.pull_request.number }}": "7",
        }
        job = {
            "GITHUB_API_URL": forge.address,
            "GITHUB_REPOSITORY": "a/b",
            "GITHUB_STEP_SUMMARY": "summary.md",
        }
        listed = document["jobs"]["check"]["steps"]
        return [
            (f"set -e\n{step['run']}", job | {key: told[value] for key, value in step.get("env", {}).items()})
            for step in listed
            if "run" in step
        ]
    if name == "gitlab":
        job = {
            "CI_API_V4_URL": forge.address,
            "CI_PROJECT_ID": "42",
            "CI_MERGE_REQUEST_IID": "7",
            "CI_MERGE_REQUEST_DIFF_BASE_SHA": base,
            "GITLAB_TOKEN": TOKEN,
        }
        return [(command, job) for command in document["coding-platform"]["script"]]
    credentials = repository.parent / "credentials"
    credentials.mkdir(exist_ok=True)
    for file in (".git-credentials", ".gitconfig"):
        (credentials / file).write_text("")
    work = repository.parent / "work"
    (work / "source").mkdir(parents=True)
    for old, new in (
        ("{{ repo_url }}", str(repository)),
        ("{{ revision }}", head),
        ("{{ target_branch }}", "main"),
        ("{{ repo_owner }}/{{ repo_name }}", "a/b"),
        ("{{ pull_request_number }}", "7"),
        ("{{ git_auth_secret }}", "secret"),
        ("$(workspaces.credentials.path)", str(credentials)),
        ("/work", str(work)),
    ):
        text = text.replace(old, new)
    (task,) = yaml.safe_load(text)["spec"]["pipelineSpec"]["tasks"]
    return [
        (
            step["script"],
            {"HOME": str(work), "GITHUB_API_URL": forge.address}
            | {entry["name"]: entry.get("value", TOKEN) for entry in step.get("env", [])},
        )
        for step in task["taskSpec"]["steps"]
    ]


def run_steps(
    name: str, repository: Path, commands: Path, forge: ForgeStandIn
) -> list[subprocess.CompletedProcess[str]]:
    """Run the commands of a workflow in order, up to the first that fails."""
    text = (repository / FILES[name]).read_text()
    folder = repository.parent / "work" / "source" if name == "tekton" else repository
    done = []
    for script, env in steps(name, text, repository, forge):
        path = f"{commands}:{os.environ['PATH']}"
        done.append(
            subprocess.run(
                ["sh", "-ec", script],
                cwd=folder,
                env={"PATH": path, "HOME": str(repository.parent), **env},
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
            )
        )
        if done[-1].returncode != 0:
            break
    return done


@pytest.mark.parametrize("name", FORGES)
def test_the_commands_of_a_workflow_comment_and_pass(
    name: str, repository: Path, commands: Path, forge: ForgeStandIn
) -> None:
    forge.comments[1] = "somebody's own comment"
    done = run_steps(name, repository, commands, forge)

    assert [each.returncode for each in done] == [0] * len(done), done[-1].stdout + done[-1].stderr
    assert "nothing refused" in done[-1].stdout
    assert f"onprem-coding-agents=={__version__}" in (commands / "installed").read_text()
    assert forge.comments.keys() == {1, 2}
    assert forge.comments[1] == "somebody's own comment"
    assert forge.comments[2].startswith(MARK)
    assert "**context**" in forge.comments[2]
    assert {token.removeprefix("Bearer ") for _, _, token in forge.asked} == {TOKEN}


@pytest.mark.parametrize("name", ["github", "gitlab"])
def test_a_change_that_is_refused_fails_the_job_and_its_comment_is_the_one_that_was_there(
    name: str, repository: Path, commands: Path, forge: ForgeStandIn
) -> None:
    run_steps(name, repository, commands, forge)
    before = dict(forge.comments)
    path = repository / "stacks" / STACK
    text = path.read_text()
    path.write_text(text.replace("context: ", "context: 9999"))
    assert path.read_text() != text
    git(repository, "commit", "--quiet", "--all", "--message", "Too much")
    done = run_steps(name, repository, commands, forge)

    assert done[-1].returncode == 1
    assert "stack-plans" in done[-1].stdout
    assert all(each.returncode == 0 for each in done[:-1])
    assert forge.comments.keys() == before.keys() == {1}
    assert "It does not plan any more" in forge.comments[1]
    if name == "github":
        (run_of_sarif,) = json.loads((repository / "check.sarif").read_text())["runs"]
        assert run_of_sarif["results"][0]["ruleId"] == "stack-plans"
        uri = run_of_sarif["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        assert uri == f"stacks/{STACK}", "relative to the repository, as code scanning wants it"
    else:
        assert 'failures="1"' in (repository / "check.xml").read_text()


def test_a_comment_is_found_on_a_later_page(forge: ForgeStandIn, tmp_path: Path) -> None:
    forge.comments.update({number: f"comment {number}" for number in range(1, 251)})
    forge.comments[230] = f"{MARK}\nold"
    (tmp_path / "review.md").write_text(f"{MARK}\nnew")
    result = run("comment", "github", tmp_path / "review.md", env=environment(forge))

    assert result.output == "comment brought up to date\n"
    assert forge.comments[230] == f"{MARK}\nnew"
    assert len(forge.comments) == 250


def environment(forge: ForgeStandIn) -> dict[str, str]:
    return {
        "GITHUB_API_URL": forge.address,
        "GITHUB_REPOSITORY": "a/b",
        "PULL_REQUEST": "7",
        "GITHUB_TOKEN": TOKEN,
    }


def test_a_text_that_is_too_long_for_the_forge_is_cut_and_says_so(
    forge: ForgeStandIn, tmp_path: Path
) -> None:
    (tmp_path / "review.md").write_text("x" * 70_000)
    run("comment", "github", tmp_path / "review.md", env=environment(forge))

    assert len(forge.comments[1]) == 65_536
    assert forge.comments[1].endswith("the whole stands in the log of the job")


@pytest.mark.parametrize(
    ("changes", "status", "words"),
    [
        ({}, 403, "403"),
        ({"GITHUB_API_URL": "http://127.0.0.1:9"}, 0, "can the job reach the forge?"),
        ({"PULL_REQUEST": "", "GITHUB_REPOSITORY": ""}, 0, "GITHUB_REPOSITORY and PULL_REQUEST must say"),
    ],
)
def test_what_keeps_a_comment_from_being_written_is_a_sentence_without_the_token(
    forge: ForgeStandIn, tmp_path: Path, changes: dict[str, str], status: int, words: str
) -> None:
    (tmp_path / "review.md").write_text("x")
    forge.status = status
    result = run("comment", "github", tmp_path / "review.md", env=environment(forge) | changes)

    assert result.exit_code == 1
    assert words in result.output
    assert TOKEN not in result.output


def test_without_a_token_it_says_so_and_is_no_error(forge: ForgeStandIn, tmp_path: Path) -> None:
    (tmp_path / "review.md").write_text("x")
    result = run("comment", "github", tmp_path / "review.md", env=environment(forge) | {"GITHUB_TOKEN": ""})

    assert result.exit_code == 0
    assert "no comment: GITHUB_TOKEN is empty" in result.output
    assert forge.asked == []


def test_a_workflow_that_somebody_changed_stays(repository: Path) -> None:
    path = repository / FILES["github"]
    path.write_text(path.read_text() + "# ours\n")
    result = run("init", "github", "--into", repository, "--stacks", repository / "stacks")

    assert result.exit_code == 1
    assert "a file that says something else" in result.output
    assert path.read_text().endswith("# ours\n")


@pytest.mark.parametrize("folder", ["a b", "$(x)", "../elsewhere"])
def test_a_folder_that_no_workflow_can_name_is_refused(tmp_path: Path, folder: str) -> None:
    root = tmp_path / "repository"
    root.mkdir()
    result = run("init", "gitlab", "--into", root, "--stacks", root / folder)

    assert result.exit_code == 1
    assert "--stacks" in result.output
    assert list(root.iterdir()) == []


@pytest.mark.parametrize("name", FORGES)
def test_stack_files_at_the_root_are_watched_too(name: str, tmp_path: Path) -> None:
    text = run("init", name, "--print", "--into", tmp_path, "--stacks", tmp_path).output
    told: Any = yaml.safe_load(text)

    assert told
    assert "--stacks ." in text
    assert "./**" not in text
