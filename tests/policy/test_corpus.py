"""Manifests as people write them, each with the verdict it deserves in its first lines."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from policy.checks import Finding, check_manifests, graph_of
from policy.packs import serving_operation
from policy.serving import servers, unread
from policy.table import POLICIES
from tools.bench.policy_corpus import judge, read_corpus

pytestmark = pytest.mark.policy

CORPUS = sorted((Path(__file__).parent / "corpus").glob("*.yaml"))
# The rules about one server; what it lacks to stay up test_operation_theirs tells, file by file, and the rules about
# what surrounds it have corpora of their own.
RULES = {policy.name for policy in POLICIES if policy.pack == "serving"} | {"timeouts-are-monotonic"}
RULES -= {policy.name for policy in serving_operation.POLICIES if policy.level == "advisory"}
_REFUSED = "refused by "


def _header(text: str, key: str) -> str | None:
    found = re.search(rf"^# {key}: (.+)$", text, re.MULTILINE)
    return found[1] if found else None


def _expected(text: str) -> tuple[set[str], set[str]]:
    verdict, said = _header(text, "verdict") or "", _header(text, "said")
    refused = verdict.removeprefix(_REFUSED).split(", ") if verdict.startswith(_REFUSED) else []
    return set(refused), set(said.split(", ") if said else [])


def _found(findings: list[Finding], level: str) -> set[str]:
    return {finding.policy for finding in findings if finding.level == level and finding.policy in RULES}


def _manifests(text: str) -> list[dict[str, Any]]:
    return [document for document in yaml.safe_load_all(text) if document]


@pytest.mark.parametrize("file", CORPUS, ids=lambda file: file.stem)
def test_a_manifest_gets_the_verdict_it_deserves(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    findings = check_manifests(_manifests(text))
    refused, said = _expected(text)

    messages = "\n".join(f"{finding.policy}: {finding.told}" for finding in findings)
    assert (_found(findings, "mandatory"), _found(findings, "advisory")) == (refused, said), messages


@pytest.mark.parametrize("file", CORPUS, ids=lambda file: file.stem)
def test_what_declares_vllm_is_read_or_named_and_what_does_not_is_left_alone(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    graph = graph_of(_manifests(text))
    looked_at = [server.resource for server in servers(graph)] + [each.resource for each in unread(graph)]

    assert bool(looked_at) == (_header(text, "verdict") != "none of ours")


def test_every_kind_of_verdict_and_of_style_is_in_the_corpus() -> None:
    verdicts = [_header(file.read_text(encoding="utf-8"), "verdict") or "" for file in CORPUS]

    assert {verdict.removesuffix(" ").partition(" by ")[0] for verdict in verdicts} == {
        "fine",
        "none of ours",
        "not read",
        "refused",
    }
    assert all(_header(file.read_text(encoding="utf-8"), "style") for file in CORPUS)


def test_the_corpus_is_large_and_the_policies_are_right_about_it() -> None:
    judged = judge(read_corpus(CORPUS[0].parent))

    assert len(judged) >= 60
    assert {each.outcome for each in judged} == {"right refusal", "right pass", "not read"}, [
        (each.case.name, each.outcome) for each in judged if each.false or each.missed
    ]
