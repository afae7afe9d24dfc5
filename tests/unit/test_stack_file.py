"""A stack file as a person wrote it: what Pulumi would silently take is refused, all of it at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from onprem_agents.errors import InvalidInput, Problem
from onprem_agents.plan import plan_stack_file
from onprem_agents.stack.stack_file import read_stack_file, stack_names

CANARY = "canary-4f1c9f0a77d2"
GOOD = """\
config:
  onprem-coding-agents:platform:
    hardware: {accelerator: L40S}
    models:
      - {role: coder, model: Qwen/Qwen3.6-27B-FP8, context: 65536}
    access:
      host: agents.example.internal
      tls: {issuer: internal-ca}
      developers: {alice: {}}
"""


def _read(tmp_path: Path, text: str | bytes) -> None:
    data = text.encode() if isinstance(text, str) else text
    (tmp_path / "Pulumi.test.yaml").write_bytes(data)
    plan_stack_file(tmp_path, "test")


def _problems(tmp_path: Path, text: str | bytes) -> tuple[Problem, ...]:
    with pytest.raises(InvalidInput) as caught:
        _read(tmp_path, text)
    return caught.value.problems


def test_a_good_file_is_read_with_the_names_of_developers_that_have_keys(tmp_path: Path) -> None:
    text = (
        GOOD + "  onprem-coding-agents:developerKeys:\n    alice: {secure: djE6YQ==}\nencryptionsalt: v1:x\n"
    )
    (tmp_path / "Pulumi.test.yaml").write_text(text)

    file = read_stack_file(tmp_path, "test")

    assert file.developers_with_keys == {"alice"}
    assert file.encryption_salt == "v1:x"
    assert isinstance(file.platform, dict)


def test_a_missing_file_offers_the_nearest_stack(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.local.yaml").write_text(GOOD)

    with pytest.raises(InvalidInput, match="did you mean local"):
        plan_stack_file(tmp_path, "locla")

    assert stack_names(tmp_path) == ("local",)


def test_equal_keys_are_refused_with_both_lines(tmp_path: Path) -> None:
    (problem,) = _problems(tmp_path, GOOD.replace("      host:", "      host: other.internal\n      host:"))

    assert "line 7 and again on line 8" in problem.found


def test_a_secret_in_plain_text_is_refused_and_never_shown(tmp_path: Path) -> None:
    text = GOOD + f"  onprem-coding-agents:developerKeys:\n    alice: {CANARY}\n"
    text = text.replace("alice: {}}", f"alice: {{apiKey: {CANARY}}}}}")

    with pytest.raises(InvalidInput) as caught:
        _read(tmp_path, text)

    assert len([p for p in caught.value.problems if "plain text" in p.found]) == 2
    assert CANARY not in str(caught.value)


def test_mistakes_of_form_and_of_content_are_told_together(tmp_path: Path) -> None:
    text = (
        GOOD.replace("L40S", "L40X").replace("config:", "confg: {}\nconfig:", 1)
        + "  onprem-coding-agents:plattform: {}\n"
    )

    places = {problem.where for problem in _problems(tmp_path, text)}

    assert places == {"confg", "config.onprem-coding-agents:plattform", "platform.hardware.accelerator"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("config: [", "not valid YAML"),
        ("a: b: c", "not valid YAML"),
        ("- 1\n- 2\n", "a stack file is a map"),
        ("config: 7\n", "map from 'project:key' to values"),
        (b"config: \xff\xfe\n", "UTF-8"),
        ("config: !!python/object/apply:os.system ['true']\n", "not valid YAML"),
    ],
)
def test_broken_files_get_a_sentence(tmp_path: Path, text: str | bytes, told: str) -> None:
    assert any(told in problem.why for problem in _problems(tmp_path, text))


def test_an_empty_file_is_told_what_belongs_in_it(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.test.yaml").write_text("")

    with pytest.raises(InvalidInput, match="platform settings are a map"):
        plan_stack_file(tmp_path, "test")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("config:\n  onprem-coding-agents:platform: &a\n    hardware: *a\n", "holds itself"),
        ("config: &x [*x]\n", "holds itself"),
        ("config:\n  onprem-coding-agents:platform: 2026-13-01\n", "month must be in 1..12"),
        ("? {a: b}\n: 1\n", "unhashable key"),
        ("config: !!python/object:os.system {}\n", "constructor"),
    ],
)
def test_yaml_that_readers_stumble_over_is_refused_in_words(tmp_path: Path, text: str, found: str) -> None:
    (problem,) = _problems(tmp_path, text)

    assert found in problem.found
