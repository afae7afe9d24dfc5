"""`$(NAME)` in a container's words: Kubernetes expands what it knows, before a shell sees the rest."""

from __future__ import annotations

import pytest

from onprem_agents.vllm import HOLE, parse_argv, releases_around


def test_a_command_substitution_in_a_script_hides_its_own_value_alone() -> None:
    script = "vllm serve m/x --tensor-parallel-size $(nvidia-smi -L | wc -l) --max-model-len 65536"

    parsed = parse_argv(["sh", "-c", script])

    assert parsed.flags.max_model_len == 65536
    assert parsed.unreadable == {"tensor_parallel_size"}


@pytest.mark.parametrize("env", [{}, {"SIZE": HOLE}])
def test_a_variable_that_kubernetes_may_not_know_hides_its_own_value_alone(env: dict[str, str]) -> None:
    parsed = parse_argv(
        ["sh", "-c", 'vllm serve m/x --max-num-seqs "$(SIZE)" --max-model-len 65536'], env=env
    )

    assert parsed.flags.max_model_len == 65536
    assert parsed.read("max_num_seqs") == "unreadable"
    assert parsed.read("seed") is None


def test_a_variable_that_kubernetes_knows_is_put_into_the_script_before_the_shell_reads_it() -> None:
    words = ["sh", "-c", "vllm serve m/x $(MORE)"]

    parsed = parse_argv(words, env={"MORE": "--max-num-seqs 8 --enforce-eager"})

    assert (parsed.flags.max_num_seqs, parsed.flags.enforce_eager) == (8, True)


def test_two_dollars_keep_kubernetes_from_expanding() -> None:
    parsed = parse_argv(["vllm", "serve", "m/x", "--chat-template", "$$(A)"], env={"A": "b"})

    assert parsed.flags.chat_template == "$(A)"


@pytest.mark.parametrize(
    ("version", "around"),
    [
        ("0.33.0", ("0.33.0",)),
        ("0.27.0", ("0.26.0", "0.27.1")),
        ("0.33.1", ()),  # newer than all that is known
        ("0.11.2", ()),  # older than all that is known
        ("latest", ()),
    ],
)
def test_a_release_lies_between_the_known_ones_or_beyond_them(version: str, around: tuple[str, ...]) -> None:
    assert releases_around(version) == around
