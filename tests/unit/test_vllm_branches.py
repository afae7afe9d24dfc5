"""Branches of a script that starts vLLM: what surely runs is read, what surely does not is left out."""

from __future__ import annotations

import pytest

from onprem_agents.vllm import UNREADABLE, parse_argv

pytestmark = pytest.mark.unit

# As how-tos write it: a variable of the container decides over a switch.
SCRIPT = """
set -ex
if [ "$CHUNKS" = "False" ]; then
    CHUNKED="--no-enable-chunked-prefill"
else
    CHUNKED="--enable-chunked-prefill"
fi
if [ "$EAGER" = "True" ]; then
    EAGERLY="--enforce-eager"
else
    EAGERLY=""
fi
vllm serve m/x ${EAGERLY} ${CHUNKED} $@
"""


@pytest.mark.parametrize(
    ("chunks", "eager", "expected"),
    [("False", "True", (False, True)), ("True", "False", (True, None)), ("", "", (True, None))],
)
def test_a_switch_that_a_variable_decides_over_is_read(
    chunks: str, eager: str, expected: tuple[bool | None, bool | None]
) -> None:
    parsed = parse_argv(["bash", "-c", SCRIPT, "bash"], env={"CHUNKS": chunks, "EAGER": eager})

    assert (parsed.flags.enable_chunked_prefill, parsed.flags.enforce_eager) == expected
    assert not parsed.opaque


def test_a_variable_that_nothing_tells_leaves_both_branches_open() -> None:
    parsed = parse_argv(["bash", "-c", SCRIPT, "bash"], env={"CHUNKS": "False"})

    assert parsed.flags.enable_chunked_prefill is False
    assert parsed.read("enforce_eager") == UNREADABLE


@pytest.mark.parametrize(
    ("script", "model"),
    [
        ('if [ "$A" = "b" ]; then vllm serve m/1; else vllm serve m/2; fi', "m/1"),
        ('if [ "$A" == "c" ]; then vllm serve m/1; else vllm serve m/2; fi', "m/2"),
        ('if [[ "$A" != "c" ]]; then vllm serve m/1; else vllm serve m/2; fi', "m/1"),
        ('if test "$A" = b; then vllm serve m/1; else vllm serve m/2; fi', "m/1"),
        ('if [ -n "$A" ]; then vllm serve m/1; else vllm serve m/2; fi', "m/1"),
        ('if [ -z "$A" ]; then vllm serve m/1; else vllm serve m/2; fi', "m/2"),
        ('if [ "$A" = "c" ]; then vllm serve m/1; elif [ "$A" = "b" ]; then vllm serve m/2; fi', "m/2"),
        ('if [ "$A" = "b" ]; then vllm serve m/1; elif [ "$A" = "b" ]; then vllm serve m/2; fi', "m/1"),
        ('if [ "$A" = "b" ]; then if [ "$A" = "c" ]; then vllm serve m/1; fi; vllm serve m/2; fi', "m/2"),
        (
            'if [ "$A" = "c" ]; then if [ "$A" = "b" ]; then vllm serve m/1; fi; else vllm serve m/2; fi',
            "m/2",
        ),
    ],
)
def test_the_branch_that_runs_is_the_one_that_is_read(script: str, model: str) -> None:
    assert parse_argv(["bash", "-c", script], env={"A": "b"}).read("model") == model


@pytest.mark.parametrize(
    "condition",
    [
        '[ "$UNSET" = "b" ]',  # the image may set it
        '[ -d "/mnt/models/$A" ]',  # only the pod knows
        '[[ "$A" == b* ]]',  # a pattern
        '[ "$A" = "b" ] && [ -f /x ]',
        '[ -f /x ] || [ "$A" = "b" ]',
        'true; [ "$A" = "b" ]',
        '! [ "$A" = "b" ]',
        '[ "$A" -gt 1 ]',
    ],
)
def test_any_other_condition_leaves_it_open_which_branch_runs(condition: str) -> None:
    script = f"if {condition}; then vllm serve m/then; else vllm serve m/else; fi"

    parsed = parse_argv(["bash", "-c", script], env={"A": "b"})

    assert parsed.problems == ("the script has several commands that start vLLM",)


@pytest.mark.parametrize(
    "script",
    [
        'for N in 1 2; do if [ "$A" = "b" ]; then X=--seed; fi; done; vllm serve m/x $X',  # maybe never run
        'case "$A" in b) X=--seed;; esac; vllm serve m/x $X',
        "while ! ready; do X=--seed; done; vllm serve m/x $X",
    ],
)
def test_what_a_loop_or_a_case_sets_is_not_told(script: str) -> None:
    assert parse_argv(["bash", "-c", script], env={"A": "b"}).opaque


def test_after_a_branch_all_is_certain_again() -> None:
    script = 'if [ "$A" = "c" ]; then exit 1; fi; LENGTH=65536; vllm serve m/x --max-model-len $LENGTH'

    assert parse_argv(["bash", "-c", script], env={"A": "b"}).flags.max_model_len == 65536


@pytest.mark.parametrize(
    "script", ["fi", "if", "then", "else", "if [ a = b ]", "done; fi; esac", "if [ ; fi"]
)
def test_a_script_that_is_broken_does_not_stop_the_reader(script: str) -> None:
    parse_argv(["sh", "-c", f"{script}\nvllm serve m/x"])
