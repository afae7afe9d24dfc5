"""Scripts that start vLLM: what a shell passes on is read, what only a shell can know is never guessed."""

from __future__ import annotations

import pytest

from onprem_agents.vllm import UNREADABLE, ServeFlags, parse_argv
from onprem_agents.vllm.holes import HOLE, HOLES
from onprem_agents.vllm.shell import script_of, simple_commands

pytestmark = pytest.mark.unit


def test_a_long_script_with_comments_quotes_and_redirections_gives_the_server_command() -> None:
    script = """
    set -euo pipefail
    # vllm serve wrong/model
    MODEL=Qwen/Qwen3.6-27B-FP8
    export PORT=8080
    mkdir -p /tmp/x && cd /tmp/x
    exec vllm serve "$MODEL" --port ${PORT} \\
      --served-model-name coder 'second name' \\
      --speculative-config '{"method": "mtp", "num_speculative_tokens": 3}' \\
      --max-model-len ${LENGTH:-32768} "$@" 2>&1 | tee /tmp/log
    """

    parsed = parse_argv(
        ["/bin/bash", "-ec", script, "--", "--reasoning-parser", "qwen3"], env={"LENGTH": "128K"}
    )

    assert parsed.flags == ServeFlags(
        model="Qwen/Qwen3.6-27B-FP8",
        port=8080,
        served_model_name=("coder", "second name"),
        speculative_config={"method": "mtp", "num_speculative_tokens": 3},
        max_model_len=131072,
        reasoning_parser="qwen3",
    )
    assert not parsed.opaque


def test_arguments_without_dollar_at_are_lost_as_they_are_in_the_pod() -> None:
    parsed = parse_argv(["sh", "-c", "vllm serve m/x", "sh", "--reasoning-parser", "qwen3"])
    assert parsed.read("reasoning_parser") is None


@pytest.mark.parametrize(
    "script",
    [
        "vllm serve m/x $EXTRA",
        'vllm serve m/x "${ARGS[@]}"',
        "vllm serve m/x $(cat /etc/flags)",
        "vllm serve m/x `cat /etc/flags`",
        'if [ -n "$A" ]; then EXTRA=--enforce-eager; fi; vllm serve m/x $EXTRA',
        "test -f /x && EXTRA=--enforce-eager; vllm serve m/x $EXTRA",
        'EXTRA=--enforce-eager; EXTRA="$EXTRA --seed 1"; vllm serve m/x $EXTRA',
    ],
)
def test_words_that_only_a_shell_can_know_make_every_other_option_doubtful(script: str) -> None:
    parsed = parse_argv(["bash", "-c", script])

    assert parsed.read("model") == "m/x"
    assert parsed.read("tool_call_parser") == UNREADABLE


def test_a_quoted_unknown_variable_is_one_value_and_nothing_more() -> None:
    parsed = parse_argv(["bash", "-c", 'vllm serve "$MODEL" --max-model-len $LENGTH --port 80'])

    assert parsed.unreadable == {"model", "max_model_len"}
    assert parsed.flags.port == 80
    assert parsed.read("tool_call_parser") is None


@pytest.mark.parametrize(
    ("script", "problem"),
    [
        ("/opt/start.sh", "the script has no command that starts vLLM"),
        (
            "if true; then vllm serve m/x; else vllm serve m/y; fi",
            "the script has several commands that start vLLM",
        ),
    ],
)
def test_a_script_that_can_not_be_followed_is_said_to_be_so(script: str, problem: str) -> None:
    parsed = parse_argv(["sh", "-c", script])

    assert parsed.problems == (problem,)
    assert parsed.read("tool_call_parser") == UNREADABLE


def test_an_unfinished_quote_or_bracket_does_not_hang_or_crash_the_reader() -> None:
    for script in (
        "vllm serve 'm/x",
        'vllm serve "m/x',
        "vllm serve ${X",
        "vllm serve $(x",
        "vllm serve `x",
        "a\\",
        "$",
    ):
        parse_argv(["sh", "-c", script])


def test_blanks_in_an_unquoted_variable_split_words_and_in_a_quoted_one_do_not() -> None:
    env = {"A": "one two", "H": HOLE}
    assert simple_commands('x $A "$A" -$A- $H "$H" $U "$U"', env, []) == [
        ["x", "one", "two", "one two", "-one", "two-", HOLE, HOLE, HOLES, HOLE]
    ]


def test_the_script_and_its_arguments_are_found_behind_wrappers_and_options() -> None:
    assert script_of(["tini", "--", "/bin/bash", "-o", "pipefail", "-c", "x", "name", "a"]) == ("x", ("a",))
    assert script_of(["sh", "/opt/start.sh"]) is None
    assert script_of(["vllm", "serve", "m/x"]) is None
