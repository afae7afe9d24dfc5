"""A guard that crashes guards nothing: programs and commands of any shape are read to the end."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from onprem_agents.vllm import load_release, parse_argv
from policy.checks import check_manifests
from policy.graph import UNKNOWN
from tests.policy.programs import Manifests, argument, bent, compliant
from tests.policy.rendered import objects_of
from tests.policy.test_theirs import PROGRAM

pytestmark = pytest.mark.policy

CORPUS = Path(__file__).parent / "corpus"

_ODD_VALUES: tuple[Any, ...] = (
    None,
    UNKNOWN,
    [],
    {},
    "x",
    0,
    -1,
    True,
    3.5,
    [UNKNOWN],
    {"a": UNKNOWN},
    "nan",
    "0s",
)
_ODD_WORDS = (
    *("-tp", "-O3", "-O", "--", "-", "=", "--=", "--x.y.z", "--speculative-config.a.b", "--hf-overrides.a+"),
    *("$X", "${X:-", '"$@"', "'", "`", "\0", "\0\0", "bash", "-c", "sh", "vllm", "serve", "-m", "{}", "[]"),
    *(
        "nan",
        "inf",
        "128K",
        "--max-model-len=inf",
        "--gpu-memory-utilization=nan",
        "é",
        "$(A)",
        "<",
        ">&",
        "#",
    ),
)


def _paths(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    keys = list(node) if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()
    for key in keys:
        yield from _paths(node[key], (*path, key))


def _replaced(program: Manifests, path: tuple[Any, ...], value: Any) -> list[dict[str, Any]]:
    node: Any = program
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = value
    return [manifest for manifest in program.values() if isinstance(manifest, dict)]


def test_every_part_of_a_program_may_be_of_any_shape() -> None:
    for path in [path for path in _paths(compliant()) if path]:
        for value in _ODD_VALUES:
            for finding in check_manifests(_replaced(compliant(), path, value)):
                assert finding.told, (path, value)


def test_every_part_of_somebody_elses_program_may_be_of_any_shape() -> None:
    rng = random.Random(13)  # noqa: S311 - a fixed seed for a repeatable test
    for path in [path for path in _paths(PROGRAM) if len(path) > 1]:
        value = rng.choice(_ODD_VALUES)
        for finding in check_manifests(_replaced(copy.deepcopy(PROGRAM), path, value)):
            assert finding.told, (path, value)


@pytest.mark.parametrize("stack", ["feature-litellm-oci", "feature-ai-gateway", "feature-caches"])
def test_every_part_of_a_stack_may_be_of_any_shape(stack: str) -> None:
    rng = random.Random(11)  # noqa: S311 - a fixed seed for a repeatable test
    paths = [path for path in _paths(objects_of(stack)) if len(path) > 1]

    for path in rng.sample(paths, 60):
        value = rng.choice(_ODD_VALUES)
        for finding in check_manifests(_replaced(objects_of(stack), path, value)):
            assert finding.told, (path, value)


def test_any_words_are_read_as_a_command() -> None:
    rng = random.Random(7)  # noqa: S311 - a fixed seed for a repeatable test
    words = [*sorted(load_release("0.33.0").options()), *_ODD_WORDS * 10]

    for _ in range(5000):
        argv = [rng.choice(words) for _ in range(rng.randint(0, 8))]
        script = ["bash", "-c", " ".join(argv), *argv[:2]]

        assert parse_argv(argv, release=rng.choice([None, "0.32.0", "main", "9.9.9"])).judged_by
        assert parse_argv(script).command, "a script is followed or called opaque, never taken for arguments"


def test_what_others_declare_may_be_of_any_shape() -> None:
    rng = random.Random(11)  # noqa: S311 - a fixed seed for a repeatable test
    for file in sorted(CORPUS.glob("*.yaml")):
        text = file.read_text(encoding="utf-8")
        paths = [path for path in _paths([one for one in yaml.safe_load_all(text) if one]) if path]
        for path in rng.sample(paths, min(25, len(paths))):
            value = rng.choice(_ODD_VALUES)
            documents = [one for one in yaml.safe_load_all(text) if one]
            node: Any = documents
            for key in path[:-1]:
                node = node[key]
            node[path[-1]] = value
            for finding in check_manifests([one for one in documents if isinstance(one, dict)]):
                assert finding.told, (file.name, path, value)


@pytest.mark.parametrize("number", ["0", "-1", "1000000"])
@pytest.mark.parametrize(
    "option",
    [
        *("--data-parallel-size", "--tensor-parallel-size", "--pipeline-parallel-size", "--max-num-seqs"),
        *("--max-model-len", "--max-num-batched-tokens", "--gpu-memory-utilization"),
    ],
)
def test_numbers_that_mean_no_server_are_read_to_the_end(option: str, number: str) -> None:
    check_manifests(bent(argument(option, number)))
