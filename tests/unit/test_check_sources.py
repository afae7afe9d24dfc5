"""`onprem-agents check` on stacks, folders, files and standard input, in every format."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import yaml
from click.testing import CliRunner, Result

from onprem_agents.cli import main
from onprem_agents.cli.check_formats import FORMATS
from onprem_agents.cli.check_sources import stacks_within
from onprem_agents.stack.lines import line_of

pytestmark = pytest.mark.unit

STACKS = Path(__file__).parents[2] / "stacks"
# A server of somebody else's: it serves no tool calls, and it says its GPU, so that one rule is broken and no other.
SERVER = {
    "apiVersion": "serving.kserve.io/v1beta1",
    "kind": "InferenceService",
    "metadata": {"name": "theirs", "namespace": "llm"},
    "spec": {
        "predictor": {
            "nodeSelector": {"nvidia.com/gpu.product": "NVIDIA-L40S"},
            "containers": [
                {
                    "name": "kserve-container",
                    "image": "vllm/vllm-openai:v0.20.0",
                    "args": ["--model=Qwen/Qwen3-8B", "--reasoning-parser=qwen3", "--max-model-len=40960"],
                    "resources": {"limits": {"nvidia.com/gpu": "1"}},
                }
            ],
        }
    },
}
FIRST = "# somebody's\n\n"


def check(*words: object, given: str | bytes | None = None) -> Result:
    result = CliRunner().invoke(main, ["check", *map(str, words)], input=given)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def found(*words: object, given: str | bytes | None = None) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(check(*words, "--json", given=given).stdout)
    return told


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one server, two lines below the top of its file, and files that are no manifests."""
    (tmp_path / "server.yaml").write_text(FIRST + yaml.safe_dump(SERVER))
    (tmp_path / "docker-compose.yml").write_text("services: {web: {image: nginx}}\n")
    (tmp_path / "package.json").write_text("{}")
    return tmp_path


def test_without_a_source_every_stack_is_checked_and_ours_have_no_findings() -> None:
    result = check("--stacks", STACKS)

    assert result.exit_code == 0, result.stdout
    assert "nothing refused, 0 to look at" in result.stdout


def test_a_finding_has_file_line_pack_and_object(folder: Path) -> None:
    told = found(folder)
    refused = [finding for finding in told["findings"] if finding["level"] == "mandatory"]

    assert [finding["policy"] for finding in refused] == ["tool-calling-is-on"]
    (finding,) = refused
    assert (finding["resource"], finding["file"], finding["line"], finding["pack"]) == (
        "InferenceService llm/theirs",
        str(folder / "server.yaml"),
        3,
        "serving",
    )
    assert (told["read"], told["notRead"]) == (1, [])
    assert check(folder).exit_code == 1


@pytest.mark.parametrize("name", ["server.yaml", "server.json"])
def test_a_file_and_standard_input_are_read_alike(folder: Path, name: str) -> None:
    text = json.dumps(SERVER) if name.endswith("json") else (folder / name).read_text()
    (folder / name).write_text(text)
    told = [found(folder / name), found("-", given=text), found("-", given=b"\xef\xbb\xbf" + text.encode())]

    for each in told:
        assert "tool-calling-is-on" in {finding["policy"] for finding in each["findings"]}
    assert [each["findings"][0]["file"] for each in told] == [str(folder / name), "", ""]


def test_a_runtime_in_another_file_of_the_folder_belongs_to_its_server(folder: Path) -> None:
    predictor = {
        "model": {"modelFormat": {"name": "vLLM"}, "runtime": "ours", "storageUri": "hf://Qwen/Qwen3-8B"}
    }
    (folder / "server.yaml").write_text(yaml.safe_dump({**SERVER, "spec": {"predictor": predictor}}))
    container = SERVER["spec"]["predictor"]["containers"][0]  # type: ignore[index]
    runtime = {
        "apiVersion": "serving.kserve.io/v1alpha1",
        "kind": "ClusterServingRuntime",
        "metadata": {"name": "ours"},
        "spec": {"containers": [{**container, "args": [*container["args"], "--enable-auto-tool-choice"]}]},
    }
    (folder / "deeper").mkdir()
    (folder / "deeper" / "runtime.yml").write_text(yaml.safe_dump(runtime))
    messages = [finding["message"] for finding in found(folder)["findings"]]

    assert any("but no --tool-call-parser" in message for message in messages), messages


def test_a_stack_that_does_not_plan_is_refused_at_its_line(tmp_path: Path) -> None:
    text = (STACKS / "Pulumi.team.yaml").read_text().replace("context: 131072", "context: 99999999")
    (tmp_path / "Pulumi.team.yaml").write_text(text)
    line = next(number for number, each in enumerate(text.splitlines(), 1) if "99999999" in each)

    for words in ((tmp_path,), (tmp_path / "Pulumi.team.yaml",), ("team", "--stacks", tmp_path)):
        (finding,) = found(*words)["findings"]
        assert (finding["policy"], finding["line"]) == ("stack-plans", line)
        assert finding["resource"] == "stack team: platform.models[0].context"
        assert "platform.models[0].context" in finding["change"]


def test_all_that_cannot_be_read_is_named_with_its_reason(folder: Path) -> None:
    (folder / "server.yaml").unlink()
    (folder / "broken.yaml").write_text("apiVersion: v1\n kind: [\n")
    (folder / "chart.yaml").write_text("apiVersion: v1\nkind: Pod\nmetadata:\n  name: {{ .Values.name }}\n")
    (folder / "quoted.yaml").write_text('apiVersion: v1\nkind: Pod\nmetadata: {name: "{{ .Values.name }}"}\n')
    (folder / "latin.yaml").write_bytes(b"apiVersion: v1 # caf\xe9\n")
    (folder / "kustomization.yaml").write_text("patches: [{path: patch.yaml}]\n")
    (folder / "patch.yaml").write_text(yaml.safe_dump({**SERVER, "spec": {}}))
    (folder / "failed.json").write_text(
        json.dumps(
            {"steps": [], "changeSummary": {}, "diagnostics": [{"severity": "error", "message": "boom"}]}
        )
    )
    told = found(folder)
    why = {each["resource"].removeprefix(f"{folder}/"): each["why"] for each in told["notRead"]}

    assert told["findings"] == []
    assert why.keys() == {
        "broken.yaml",
        "chart.yaml",
        "quoted.yaml",
        "latin.yaml",
        "patch.yaml",
        "failed.json, line 1",
    }
    assert "line 2" in why["broken.yaml"]
    assert "helm template" in why["chart.yaml"]
    assert "helm template" in why["quoted.yaml"]
    assert "UTF-8" in why["latin.yaml"]
    assert "kubectl kustomize" in why["patch.yaml"]
    assert "boom" in why["failed.json, line 1"]
    assert check(folder).exit_code == 2


def test_names_of_nothing_are_told_all_at_once(folder: Path) -> None:
    told = found("nope", "nowhere", folder / "package.json", "--stacks", STACKS)

    assert [each["resource"] for each in told["notRead"]] == ["nope", "nowhere", str(folder / "package.json")]
    assert "team" in told["notRead"][0]["why"], "the stacks that there are"
    assert check("nope", "--stacks", STACKS).exit_code == 2


@pytest.mark.parametrize("given", ["", "hello", "- 1\n", "{", b"\xff\x00"])
def test_standard_input_that_declares_nothing_is_not_read(given: str | bytes) -> None:
    result = check("-", given=given)

    assert result.exit_code == 2, result.stdout
    assert "not read: standard input" in result.stdout


def test_a_folder_without_manifests_is_not_read(tmp_path: Path) -> None:
    assert check(tmp_path).exit_code == 2


def test_since_without_agent_says_what_it_is_for() -> None:
    result = check("team", "--since", "main")

    assert result.exit_code == 2
    assert "give --agent too" in result.stderr


@pytest.mark.parametrize("form", FORMATS)
def test_each_format_tells_of_each_finding_and_of_what_was_not_read(folder: Path, form: str) -> None:
    (folder / "broken.yaml").write_text("apiVersion: v1\n kind: [\n")
    result = check(folder, "--format", form)

    assert result.exit_code == 1, "a refusal weighs more than what was not read"
    for word in ("tool-calling-is-on", "InferenceService llm/theirs", "server.yaml", "broken.yaml"):
        assert word in result.stdout


def test_sarif_says_rule_level_file_and_line(folder: Path) -> None:
    (run,) = json.loads(check(folder, "--format", "sarif").stdout)["runs"]
    rules = {rule["id"] for rule in run["tool"]["driver"]["rules"]}
    first = run["results"][0]

    assert first["ruleId"] in rules
    assert first["level"] == "error"
    assert first["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": (folder / "server.yaml").as_posix()},
        "region": {"startLine": 3},
    }
    assert run["invocations"] == [{"executionSuccessful": True, "toolExecutionNotifications": []}]


def test_sarif_fingerprints_stay_when_lines_move(folder: Path) -> None:
    def prints() -> list[str]:
        (run,) = json.loads(check(folder, "--format", "sarif").stdout)["runs"]
        return [result["partialFingerprints"]["resourceAndPolicy/v1"] for result in run["results"]]

    before = prints()
    (folder / "server.yaml").write_text("#\n" + (folder / "server.yaml").read_text())

    assert prints() == before


def test_junit_counts_rules_refusals_and_errors(folder: Path) -> None:
    (folder / "broken.yaml").write_text("apiVersion: v1\n kind: [\n")
    suite = ET.fromstring(check(folder, "--format", "junit").stdout).find("testsuite")  # noqa: S314 - ours

    assert suite is not None
    assert (suite.get("failures"), suite.get("errors")) == ("1", "1")
    assert int(suite.get("tests", "0")) == len(suite.findall("testcase"))


def test_markdown_takes_nothing_of_a_manifest_for_markup(folder: Path) -> None:
    name = "a|b`<script>*x*"
    (folder / "server.yaml").write_text(yaml.safe_dump({**SERVER, "metadata": {"name": name}}))
    told = check(folder, "--format", "markdown").stdout

    assert "a\\|b\\`&lt;script>\\*x\\*" in told
    assert "<script" not in told


STACK = """\
encryptionsalt: v1:x
config:
  onprem-coding-agents:platform:
    models:
      - role: coder
        model: a
      - role: small
        context: 1
"""


@pytest.mark.parametrize(
    ("key", "line"),
    [
        ("platform.models[0].model", 6),
        ("platform.models[1].context", 8),
        ("platform.models[role=small].context", 8),
        ("platform.models[role=small].missing", 7),
        ("platform.models[9].context", 4),
        ("platform.access.host", 3),
        ("config.onprem-coding-agents:platform.models", 4),
        ("line 3, column 1", 3),
        ("the file", 2),
    ],
)
def test_the_line_of_a_key_is_that_of_the_nearest_that_is_there(key: str, line: int) -> None:
    assert line_of(STACK, key) == line


def test_a_file_that_is_no_yaml_is_shown_at_its_top() -> None:
    assert line_of("config: [", "platform.models[0]") == 1


def test_a_folders_stacks_are_its_own_and_none_of_a_hidden_folder(tmp_path: Path) -> None:
    text = (STACKS / "Pulumi.local.yaml").read_text(encoding="utf-8")
    for place in ("mine", ".git", "node_modules/theirs"):
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / "Pulumi.local.yaml").write_text(text, encoding="utf-8")

    assert [source.path.parent.name for source in stacks_within(tmp_path)] == ["mine"]


def test_one_run_writes_every_format_that_is_asked_for_beside_the_text(folder: Path) -> None:
    files = {form: folder / f"result-{form}" for form in FORMATS}
    words = [word for form, path in files.items() for word in ("--output", f"{form}={path}")]
    result = check(folder / "server.yaml", *words)

    assert result.exit_code == 1
    for form, path in files.items():
        alone = check(folder / "server.yaml", "--format", form)
        assert path.read_text() == alone.stdout
    assert result.stdout == files["text"].read_text()


@pytest.mark.parametrize(
    ("output", "part"),
    [
        ("check.sarif", "names no format and file"),
        ("pdf=check.pdf", "write one of text, json, sarif, junit, markdown"),
        ("sarif=", "names no format and file"),
        ("sarif=none/check.sarif", "none/check.sarif cannot be written: No such file or directory"),
    ],
)
def test_an_output_that_is_none_is_told(output: str, part: str, folder: Path) -> None:
    result = check(folder / "server.yaml", "--output", output)

    assert result.exit_code == 2
    assert part in " ".join(result.stderr.split())
