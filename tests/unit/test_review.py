"""`onprem-agents review`: what a change of stack files does, on a repository with two commits."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from onprem_agents.cli import main
from tests.unit.repositories import git

pytestmark = pytest.mark.unit

STACKS = Path(__file__).parents[2] / "stacks"
TEAM, SMALL = "Pulumi.team.yaml", "Pulumi.24gb.yaml"
SESSIONS = "        sessions: 24\n"


@pytest.fixture
def stacks(tmp_path: Path) -> Path:
    """The folder of stack files in a repository with one commit on `main`."""
    folder = tmp_path / "repository" / "stacks"
    folder.mkdir(parents=True)
    for name in (TEAM, SMALL):
        (folder / name).write_text((STACKS / name).read_text())
    git(folder.parent, "init", "--quiet", "--initial-branch", "main")
    commit(folder)
    return folder


def commit(stacks: Path) -> None:
    git(stacks.parent, "add", "--all")
    git(stacks.parent, "commit", "--quiet", "--message", "Change")


def edit(stacks: Path, old: str, new: str, name: str = TEAM) -> None:
    text = (stacks / name).read_text()
    assert text.count(old) == 1
    (stacks / name).write_text(text.replace(old, new))


def review(stacks: Path, *words: str) -> Result:
    result = CliRunner().invoke(main, ["review", "--stacks", str(stacks), *words])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def told(stacks: Path, commits: str = "main", stack: str = "team") -> dict[str, Any]:
    result = review(stacks, commits, "--json")
    assert result.exit_code == 0, result.output
    (found,) = (each for each in json.loads(result.stdout)["stacks"] if each["stack"] == stack)
    return dict(found)


def rows(text: str) -> dict[str, tuple[str, str]]:
    """Return the rows that differ, by their label."""
    cells = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| **")]
    return {label.strip("*"): (before, after) for label, before, after in cells}


def test_without_a_change_nothing_is_told(stacks: Path) -> None:
    text = review(stacks, "main").stdout

    assert "Nothing: `24gb`, `team` are as before." in text
    assert "|" not in text


def test_what_the_policies_found_before_too_is_no_change_and_names_no_scratch_folder(stacks: Path) -> None:
    edit(stacks, SESSIONS, f"{SESSIONS}        toolCallParser: hermes\n")
    commit(stacks)
    assert "Nothing: `24gb`, `team` are as before." in review(stacks, "main").stdout

    (stacks / TEAM).write_text("# moves every line\n" + (stacks / TEAM).read_text())
    assert "Nothing: `24gb`, `team` are as before." in review(stacks, "main").stdout

    edit(stacks, "        toolCallParser: hermes\n", "")
    (mended,) = told(stacks)["mendedFindings"]
    assert (mended["policy"], mended["file"]) == ("parser-fits-the-model", TEAM)


def test_a_shorter_context_shows_what_it_buys_and_what_developers_must_do(stacks: Path) -> None:
    edit(stacks, "context: 131072", "context: 65536")
    text = review(stacks, "main").stdout

    assert rows(text)["context"] == ("131,072 tokens", "65,536 tokens")
    assert "**coder**: its servers start anew, no downtime" in text
    assert "**fast**: its servers keep running" in text
    assert "run `onprem-agents setup` again: what it writes changes for opencode, Codex CLI" in text
    assert "`24gb` is as before." in text
    assert re.fullmatch(
        r"\d+ tokens/s for one session, [\d,]+ for \d+ sessions, [\d,]+ of prompts",
        rows(text)["a server at most"][1],
    )
    found = told(stacks)
    # A token of one session reads 28 GB of the weights' 30.8 (not the table of its words) from an H100's 3,350 GB/s.
    assert 3350 / 30.8 < found["after"]["models"][0]["bounds"]["decodeTokensPerSecondOne"] < 3350 / 28
    assert found["restarts"] == ["coder"]
    assert "InferenceService coding-agents/coder" in found["objects"]["changed"]


def test_what_only_the_cluster_sees_asks_nothing_of_developers(stacks: Path) -> None:
    edit(stacks, "sessions: 24\n", "sessions: 24\n        env: {VLLM_LOGGING_LEVEL: DEBUG}\n")
    text = review(stacks, "main").stdout

    assert "- nothing: what setup wrote stays right" in text
    assert told(stacks)["restarts"] == ["coder"]


def test_two_commits_are_compared_and_files_as_they_lie_are_left_alone(stacks: Path) -> None:
    git(stacks, "switch", "--quiet", "--create", "work")
    edit(stacks, "context: 131072", "context: 65536")
    commit(stacks)
    edit(stacks, "        dev-20: {team: product}\n", "")

    assert rows(review(stacks, "main..work").stdout)["context"] == ("131,072 tokens", "65,536 tokens")
    assert rows(review(stacks, "main...work").stdout)["context"] == ("131,072 tokens", "65,536 tokens")
    assert rows(review(stacks, "main").stdout)["context"] == ("131,072 tokens", "65,536 tokens")
    developers = [told(stacks, commits)["after"]["developers"] for commits in ("main..work", "main")]
    assert developers == [20, 19]


def test_what_others_did_meanwhile_on_the_base_is_no_part_of_the_change(stacks: Path) -> None:
    git(stacks, "switch", "--quiet", "--create", "work")
    edit(stacks, "context: 131072", "context: 65536")
    commit(stacks)
    git(stacks, "switch", "--quiet", "main")
    edit(stacks, "sessions: 24", "sessions: 20")
    commit(stacks)

    assert rows(review(stacks, "main..work").stdout)["context"] == ("131,072 tokens", "65,536 tokens")
    assert told(stacks, "main..work")["before"]["models"][0]["sessions"] == 24


def test_a_change_that_does_not_plan_shows_why(stacks: Path) -> None:
    edit(stacks, "context: 131072", "context: 99999999")
    text = review(stacks, "main").stdout

    assert "**It does not plan any more**" in text
    assert "❌ `stack-plans`" in text
    assert "platform.models[0].context" in text
    commit(stacks)
    edit(stacks, "context: 99999999", "context: 65536")
    mended = review(stacks, "HEAD").stdout
    assert "**Mended**" in mended
    assert "`stack-plans`" in mended


def test_stacks_come_and_go(stacks: Path) -> None:
    (stacks / SMALL).rename(stacks / "Pulumi.other.yaml")
    text = review(stacks, "main").stdout

    assert "### Stack `24gb`\n\nThe stack file is gone." in text
    assert "### Stack `other`" in text
    assert rows(text)["developers"][0] == "–"


def test_who_joins_and_who_leaves_is_named(stacks: Path) -> None:
    edit(stacks, "      developers:\n", "      developers:\n        zoe: {}\n")
    found = review(stacks, "main").stdout

    assert "new, and to be given a key: zoe" in found
    commit(stacks)
    edit(stacks, "        dev-20: {team: product}\n", "")
    assert "no longer let in: dev-20" in review(stacks, "HEAD").stdout


def test_an_agent_that_no_longer_works_is_named(stacks: Path) -> None:
    edit(stacks, "context: 131072", "context: 16384")
    text = review(stacks, "main").stdout

    assert "**coder no longer works with " in text


def test_two_runs_print_the_same(stacks: Path) -> None:
    edit(stacks, "context: 131072", "context: 65536")

    assert review(stacks, "main").stdout == review(stacks, "main").stdout


@pytest.mark.parametrize("commits", ["nowhere", "main..nowhere", "--output=x"])
def test_a_name_that_means_no_commit_is_a_sentence(stacks: Path, commits: str) -> None:
    result = review(stacks, "--", commits)

    assert result.exit_code == 1
    assert "the repository knows no commit of that name" in result.stderr
    assert not (stacks / "x").exists()


def test_a_folder_that_was_not_there_yet_was_empty(stacks: Path) -> None:
    other = stacks.parent / "others"
    other.mkdir()
    (other / SMALL).write_text((stacks / SMALL).read_text())

    assert told(other, "main", "24gb")["before"] is None
