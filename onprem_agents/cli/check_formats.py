"""The result of a check in the formats that people, forges and test reports read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from onprem_agents import __version__
from onprem_agents.cli.check_findings import CheckFinding, Result
from onprem_agents.cli.report_text import count

_TOOL = "onprem-agents"
_SARIF_LEVELS = {"mandatory": "error", "advisory": "warning"}


def text(result: Result) -> str:
    """Return the result for a terminal: one block a finding, a summary at the end."""
    blocks = [block(finding) for finding in result.findings]
    blocks += [f"not read: {each.resource}\n  {each.why}" for each in result.not_read]
    return "\n\n".join([*blocks, summary(result)])


def as_json(result: Result) -> str:
    """Return the result as JSON: findings, how many objects were read, and what was not read."""
    told = {
        "findings": [asdict(finding) for finding in result.findings],
        "read": result.read,
        "notRead": [asdict(each) for each in result.not_read],
    }
    return json.dumps(told, indent=2)


def sarif(result: Result) -> str:
    """Return the result as SARIF 2.1.0 (OASIS standard of 2020-03-27), as code scanning of forges takes it."""
    driver = {
        "name": _TOOL,
        "version": __version__,
        "rules": [
            {
                "id": policy.name,
                "shortDescription": {"text": policy.description},
                "defaultConfiguration": {"level": _SARIF_LEVELS[policy.level]},
                "properties": {"tags": [policy.pack]},
            }
            for policy in result.policies
        ],
    }
    notifications = [
        {"level": "error", "message": {"text": f"not read: {each.resource}: {each.why}"}}
        for each in result.not_read
    ]
    run = {
        "tool": {"driver": driver},
        "invocations": [
            {"executionSuccessful": not result.not_read, "toolExecutionNotifications": notifications}
        ],
        "results": [_sarif_result(finding) for finding in result.findings],
    }
    schema = "https://json.schemastore.org/sarif-2.1.0.json"
    return json.dumps({"$schema": schema, "version": "2.1.0", "runs": [run]}, indent=2)


def junit(result: Result) -> str:
    """Return the result as JUnit XML: a test case a policy, failed by what is mandatory."""
    suite = ET.Element("testsuite", name=f"{_TOOL} check")
    failed = 0
    for policy in result.policies:
        case = ET.SubElement(suite, "testcase", classname=policy.pack, name=policy.name)
        found = [finding for finding in result.findings if finding.policy == policy.name]
        for finding in found:
            if finding.level == "mandatory":
                node = ET.SubElement(case, "failure", type=policy.name, message=_xml(finding.message))
                node.text = _xml(f"{_place(finding)}: {whole(finding)}")
        failed += any(finding.level == "mandatory" for finding in found)
        advice = [f"{_place(each)}: {whole(each)}" for each in found if each.level == "advisory"]
        if advice:
            ET.SubElement(case, "system-out").text = _xml("\n".join(advice))
    for each in result.not_read:
        case = ET.SubElement(suite, "testcase", classname="reading", name=_xml(each.resource))
        ET.SubElement(case, "error", type="not-read", message=_xml(each.why))
    suite.set("tests", str(len(suite)))
    suite.set("failures", str(failed))
    suite.set("errors", str(len(result.not_read)))
    root = ET.Element("testsuites")
    root.append(suite)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode")


def markdown(result: Result) -> str:
    """Return the result as Markdown, for a comment on a change."""
    lines = [f"**{summary(result)}**"]
    if result.findings:
        lines += ["", "| | policy | where | what was found |", "| --- | --- | --- | --- |"]
        lines += [
            f"| {'❌' if finding.level == 'mandatory' else '⚠️'} | `{finding.policy}` | {cell(_place(finding))} | "
            f"{cell(whole(finding))} |"
            for finding in result.findings
        ]
    if result.not_read:
        lines += ["", "Not read:", ""]
        lines += [f"- {cell(each.resource)}: {cell(each.why)}" for each in result.not_read]
    return "\n".join(lines)


FORMATS: dict[str, Callable[[Result], str]] = {
    "text": text,
    "json": as_json,
    "sarif": sarif,
    "junit": junit,
    "markdown": markdown,
}


def summary(result: Result) -> str:
    """Return the result in one sentence."""
    mandatory = sum(finding.level == "mandatory" for finding in result.findings)
    parts = [f"{count(result.read, 'object')} checked by {count(len(result.policies), 'rule')}"]
    parts.append(f"{mandatory} refused" if mandatory else "nothing refused")
    parts.append(f"{len(result.findings) - mandatory} to look at")
    if result.not_read:
        parts.append(f"{len(result.not_read)} not read")
    return ", ".join(parts)


def block(finding: CheckFinding) -> str:
    """Return a finding for a terminal: its place, level and policy, what is there, and what to change."""
    return "\n".join(_block_lines(finding))


def _block_lines(finding: CheckFinding) -> Iterator[str]:
    yield f"{_place(finding)}: {finding.level}: {finding.policy}"
    yield f"  {_message(finding)}"
    if finding.change:
        yield f"  fix: {finding.change}"


def _message(finding: CheckFinding) -> str:
    told = finding.message
    return told if told.startswith(finding.resource) else f"{finding.resource}: {told}"


def whole(finding: CheckFinding) -> str:
    return _message(finding) + (f" Fix: {finding.change}" if finding.change else "")


def _place(finding: CheckFinding) -> str:
    return f"{finding.file or 'standard input'}:{finding.line}"


def cell(told: str) -> str:
    """Return a text as it may stand in a cell: nothing in it is taken for Markdown or HTML."""
    for sign, written in (
        ("&", "&amp;"),
        ("<", "&lt;"),
        ("|", "\\|"),
        ("`", "\\`"),
        ("*", "\\*"),
        ("_", "\\_"),
    ):
        told = told.replace(sign, written)
    return " ".join(told.split())


def _xml(told: str) -> str:
    """Return a text without the control characters that XML 1.0 has no way to write."""
    return "".join(sign for sign in told if sign in "\t\n\r" or ord(sign) >= 32)  # noqa: PLR2004 - ASCII's first sign


def _sarif_result(finding: CheckFinding) -> dict[str, Any]:
    told: dict[str, Any] = {
        "ruleId": finding.policy,
        "level": _SARIF_LEVELS[finding.level],
        "message": {"text": whole(finding)},
        "partialFingerprints": {"resourceAndPolicy/v1": _fingerprint(finding)},
    }
    if finding.file:
        place = {
            "artifactLocation": {"uri": Path(finding.file).as_posix()},
            "region": {"startLine": finding.line},
        }
        told["locations"] = [{"physicalLocation": place}]
    return told


def _fingerprint(finding: CheckFinding) -> str:
    """Return what stays the same when lines move or figures in the message change."""
    told = f"{finding.policy}\x00{finding.file}\x00{finding.resource}"
    return hashlib.sha256(told.encode()).hexdigest()[:32]
