"""`onprem-agents context`: files for agents, made of the plan and the schema; what others wrote stays."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from onprem_agents.cli import main
from onprem_agents.stack.decided import settings_in
from onprem_agents.stack.settings import Platform

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
FILES = {
    "AGENTS.md",
    "CLAUDE.md",
    *(
        f"{folder}/skills/{name}-team/SKILL.md"
        for folder in (".claude", ".agents")
        for name in ("change", "tune", "look-after")
    ),
}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with the stack `team`, whose agent has an account."""
    folder = tmp_path / "repository"
    (folder / "stacks").mkdir(parents=True)
    text = (ROOT / "stacks" / "Pulumi.team.yaml").read_text()
    (folder / "stacks" / "Pulumi.team.yaml").write_text(f"{text}    operator: {{}}\n")
    return folder


def context(repository: Path, *words: str) -> Result:
    stacks = str(repository / "stacks")
    argv = ["context", "team", "--stacks", stacks, "--into", str(repository), *words]
    result = CliRunner().invoke(main, argv)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def written(repository: Path) -> dict[str, str]:
    files = (path for path in repository.rglob("*") if path.is_file())
    found = {path.relative_to(repository).as_posix(): path.read_text() for path in files}
    return {name: text for name, text in found.items() if not name.startswith("stacks/")}


def test_all_files_are_written_and_a_second_run_writes_none(repository: Path) -> None:
    first = context(repository)
    assert first.exit_code == 0, first.output
    files = written(repository)
    assert set(files) == FILES
    assert "8 files written" in first.stdout

    second = context(repository)
    assert second.stdout == "Everything is written already.\n"
    assert written(repository) == files


def test_the_difference_is_shown_first_and_a_dry_run_writes_nothing(repository: Path) -> None:
    result = context(repository, "--dry-run")

    assert "+## Stack team: models of our own for coding agents" in result.stdout
    assert "8 files would be written; nothing was." in result.stdout
    assert written(repository) == {}


def test_json_alone_goes_to_standard_output_with_the_matrix(repository: Path) -> None:
    told = json.loads(context(repository, "--json").stdout)

    assert {Path(change["path"]).name for change in told["changes"]} == {"AGENTS.md", "CLAUDE.md", "SKILL.md"}
    assert (told["written"], told["notes"]) == (True, [])
    rights = {line["resource"]: line["may"] for line in told["canI"] if line["name"] is None}
    assert rights["secrets"] == []
    assert rights["inferenceservices.serving.kserve.io"] == ["get", "list", "watch"]


def test_every_setting_is_named_on_its_side_with_its_reason(repository: Path) -> None:
    context(repository)
    text = written(repository)["AGENTS.md"]
    free, _, decided = text.partition("### What a person decides")

    for setting in settings_in(Platform):
        if setting.why is None:
            section, _, name = setting.path.rpartition(".")
            assert re.search(rf"- `{re.escape(section)}`: .*`{name}`", free), setting.path
        else:
            assert re.search(rf"`{re.escape(setting.path)}`.* \| {re.escape(setting.why)} \|", decided)


def test_the_facts_are_those_of_the_plan_and_change_with_the_stack(repository: Path) -> None:
    context(repository)
    text = written(repository)["AGENTS.md"]
    for fact in (
        "| `coder` | Qwen/Qwen3.6-27B-FP8 | 131,072 | 24 |",
        "https://agents.example.internal/v1",
        "| GPUs | 2 × 4 H100 |",
        "`stacks/Pulumi.team.yaml` declares the whole platform",
        "kubectl create token platform-operator -n coding-agents --duration 1h",
        "| nothing | ",
    ):
        assert fact in text

    file = repository / "stacks" / "Pulumi.team.yaml"
    file.write_text(file.read_text().replace("context: 131072", "context: 65536"))
    assert context(repository).exit_code == 0
    assert "| `coder` | Qwen/Qwen3.6-27B-FP8 | 65,536 |" in written(repository)["AGENTS.md"]


def test_without_an_account_that_is_a_note_and_no_matrix(repository: Path) -> None:
    file = repository / "stacks" / "Pulumi.team.yaml"
    file.write_text(file.read_text().replace("    operator: {}\n", ""))
    result = context(repository)

    assert "the stack has no account for an agent: platform.operator" in result.stderr
    assert "### Your account" not in written(repository)["AGENTS.md"]


def test_no_command_that_changes_the_cluster_is_recommended(repository: Path) -> None:
    context(repository)
    for name, text in written(repository).items():
        for line in text.splitlines():
            if re.search(r"pulumi up|kubectl (apply|edit|patch|delete|exec)", line):
                assert line.startswith("Never:"), f"{name}: {line}"


def test_a_skill_begins_as_agents_read_it(repository: Path) -> None:
    context(repository)
    for name, text in written(repository).items():
        if name.endswith("SKILL.md"):
            head = yaml.safe_load(text.split("---\n")[1])
            assert head["name"] == Path(name).parent.name
            assert 20 < len(head["description"]) <= 200


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_what_the_user_wrote_around_ours_stays_byte_for_byte(repository: Path, ending: str) -> None:
    mine = f"# Our rules{ending}{ending}Say please.{ending}"
    (repository / "AGENTS.md").write_bytes(mine.encode())
    context(repository)
    first = (repository / "AGENTS.md").read_bytes()
    assert first.startswith(mine.encode())
    assert (b"\r\n" in first, b"\n" in first.replace(b"\r\n", b"")) == (ending == "\r\n", ending == "\n")

    (repository / "AGENTS.md").write_bytes(
        first.replace(b"| longest turn", b"| shortest turn") + b"Mine too."
    )
    context(repository)
    assert (repository / "AGENTS.md").read_bytes() == first + b"Mine too."


def test_two_stacks_stand_beside_each_other(repository: Path) -> None:
    (repository / "stacks" / "Pulumi.48gb.yaml").write_text(
        (ROOT / "stacks" / "Pulumi.48gb.yaml").read_text()
    )
    context(repository)
    stacks = ["--stacks", str(repository / "stacks"), "--into", str(repository)]
    assert CliRunner().invoke(main, ["context", "48gb", *stacks]).exit_code == 0
    files = written(repository)

    assert (files["AGENTS.md"].count("## Stack team:"), files["AGENTS.md"].count("## Stack 48gb:")) == (1, 1)
    assert files["CLAUDE.md"].count("@AGENTS.md") == 1
    assert ".claude/skills/change-48gb/SKILL.md" in files


def test_claude_that_is_a_link_to_agents_is_left_a_link(repository: Path) -> None:
    (repository / "AGENTS.md").write_text("# Rules\n")
    (repository / "CLAUDE.md").symlink_to("AGENTS.md")
    assert context(repository).exit_code == 0

    assert (repository / "CLAUDE.md").is_symlink()
    assert "@AGENTS.md" not in (repository / "AGENTS.md").read_text()


def test_all_that_is_in_the_way_is_told_at_once_and_nothing_is_written(
    repository: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "mine.md"
    outside.write_text("private\n")
    (repository / "CLAUDE.md").symlink_to(outside)
    (repository / "AGENTS.md").write_text(
        "<!-- onprem-agents context team: begin; made anew each time, write beside it -->\nhalf\n"
    )
    skill = repository / ".claude" / "skills" / "tune-team" / "SKILL.md"
    skill.parent.mkdir(parents=True)
    skill.write_text("---\nname: tune-team\n---\nmine\n")
    result = context(repository)

    assert result.exit_code == 1
    assert result.stderr.startswith("context: 3 problems\n")
    for told in ("a link to", "1 times", "a file without the line"):
        assert told in result.stderr
    assert outside.read_text() == "private\n"
    assert skill.read_text().endswith("mine\n")
    assert not (repository / ".agents").exists()


def test_a_file_that_is_no_text_is_refused(repository: Path) -> None:
    (repository / "AGENTS.md").write_bytes(b"\xff\xfe")
    result = context(repository)

    assert result.exit_code == 1
    assert "bytes that are no UTF-8" in result.stderr


def test_a_folder_that_cannot_be_made_is_a_sentence(repository: Path) -> None:
    (repository / ".agents").write_text("a file\n")
    result = context(repository)

    assert result.exit_code == 1
    assert "mend" in result.stderr
