"""The real vLLM behind `./dev gateway`: how one is found, what it is told, and the tiny model that it serves."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from embedded.gateway import real_vllm
from embedded.gateway.tiny_model import write_tiny_model
from onprem_agents.errors import EnvironmentProblem
from onprem_agents.vllm import load_release, to_argv
from tests.unit.manifest_samples import planned

pytestmark = pytest.mark.unit


def script(folder: Path, text: str) -> Path:
    file = folder / "vllm"
    file.write_text(text)
    file.chmod(0o755)
    return file


def stand_in(folder: Path, said: str) -> Path:
    """Return a program that answers like a Python in which vLLM has that version."""
    return script(folder, f"#!/bin/sh\necho {said}\n")


def test_without_vllm_one_sentence_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("ONPREM_VLLM_PYTHON", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EnvironmentProblem) as raised:
        real_vllm.found()
    assert str(raised.value) == (
        "--upstream vllm starts the real vLLM, and none is installed here: install one as CONTRIBUTING.md says "
        "under 'vLLM on the CPU' (about 6 GB) and set ONPREM_VLLM_PYTHON to its Python, or leave --upstream out "
        "for the scripted model"
    )


def test_a_python_without_vllm_is_named_with_its_last_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONPREM_VLLM_PYTHON", sys.executable)
    with pytest.raises(EnvironmentProblem, match="has no vLLM that says its version"):
        real_vllm.found()


def test_a_python_that_cannot_be_run_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ONPREM_VLLM_PYTHON", str(tmp_path / "nowhere"))
    with pytest.raises(EnvironmentProblem, match="nowhere cannot be run"):
        real_vllm.found()


def test_the_variable_goes_before_the_path_and_the_builds_suffix_is_dropped(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    python = stand_in(tmp_path, "0.32.0+cpu")
    monkeypatch.setenv("ONPREM_VLLM_PYTHON", str(python))
    assert real_vllm.found() == real_vllm.Vllm(python=str(python), version="0.32.0")


def test_a_vllm_on_path_is_run_by_the_python_of_its_first_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    python = tmp_path / "python"
    stand_in(tmp_path, "0.33.0").rename(python)
    script(tmp_path, f"#!{python}\n")
    monkeypatch.delenv("ONPREM_VLLM_PYTHON", raising=False)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    assert real_vllm.found() == real_vllm.Vllm(python=str(python), version="0.33.0")


@pytest.mark.parametrize("release", ["0.32.0", "0.33.0"])
def test_the_flags_are_the_stacks_without_what_belongs_to_its_gpus(release: str) -> None:
    argv = to_argv(real_vllm.serve_flags(planned(), Path("/tiny"), 8001), release)
    assert argv[:3] == ("/tiny", "--served-model-name", "coder")
    for words in (
        ("--load-format", "dummy"),
        ("--host", "127.0.0.1"),
        ("--port", "8001"),
        ("--tool-call-parser", "hermes"),
        ("--reasoning-parser", "qwen3"),
    ):
        at = argv.index(words[0])
        assert argv[at : at + 2] == words
    assert "--enable-auto-tool-choice" in argv
    assert not {"--gpu-memory-utilization", "--quantization", "--kv-cache-dtype"} & set(argv)


def test_the_parsers_are_ones_that_vllm_has() -> None:
    release = load_release("0.32.0")
    flags = real_vllm.serve_flags(planned(), Path("/tiny"), 8001)
    assert flags.tool_call_parser in release.tool_parsers
    assert flags.reasoning_parser in release.reasoning_parsers


def test_the_tiny_model_holds_the_context_and_has_a_token_for_every_byte(tmp_path: Path) -> None:
    write_tiny_model(tmp_path, context_tokens=65_536)
    config = json.loads((tmp_path / "config.json").read_text())
    tokenizer = json.loads((tmp_path / "tokenizer.json").read_text())
    assert config["max_position_embeddings"] == 65_536
    assert len(tokenizer["model"]["vocab"]) == 256
    # As byte-level tokenizers write them: a letter for itself, a space and a line feed moved up by 256.
    assert [tokenizer["model"]["vocab"][letter] for letter in ("A", "Ġ", "Ċ")] == [65, 32, 10]
    # Bytes, the end of an answer and of a thought; other markers are for prompts, within vLLM's padding to 320 rows.
    markers = {token["content"]: token["id"] for token in tokenizer["added_tokens"]}
    assert config["vocab_size"] == 258
    assert (markers["<|im_end|>"], markers["</think>"]) == (256, 257)
    assert {"<|im_start|>", "<think>"} <= {name for name, number in markers.items() if 257 < number < 320}
