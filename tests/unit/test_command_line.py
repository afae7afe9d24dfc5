"""`onprem-agents`: what the platform engineer's subcommands print, and that bad input ends in a sentence."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from onprem_agents.cli import main
from onprem_agents.cli.policy_pack import find_pack
from onprem_agents.errors import EnvironmentProblem

STACKS = str(Path(__file__).parents[2] / "stacks")


def _run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(main, arguments)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


def test_plan_shows_model_sessions_parsers_and_the_memory_of_a_gpu() -> None:
    code, out, _ = _run("plan", "local", "--stacks", STACKS)

    assert code == 0
    for told in (
        "Qwen/Qwen3.6-27B-FP8",
        "3 sessions at once",
        "qwen3_coder",
        "weights 28.7",
        "3 of 4 GPUs free",
    ):
        assert told in out


def test_plan_explains_each_term_of_the_account_when_asked() -> None:
    _, out, _ = _run("plan", "local", "--stacks", STACKS, "--explain")

    assert "CUDA graphs" in out


def test_plan_as_json_is_the_report() -> None:
    _, out, _ = _run("plan", "team", "--stacks", STACKS, "--json")

    assert [model["role"] for model in json.loads(out)["models"]] == ["coder", "fast"]


def test_render_prints_yaml_documents_that_all_have_a_kind() -> None:
    _, out, _ = _run("render", "local", "--stacks", STACKS)

    documents = list(yaml.safe_load_all(out))
    assert documents[0]["kind"] == "Namespace"
    assert all(document["apiVersion"] and document["metadata"]["name"] for document in documents)


def test_catalog_lists_models_accelerators_tiers_and_releases() -> None:
    code, out, _ = _run("catalog", "--json")

    assert code == 0
    told = {
        "models",
        "accelerators",
        "tiers",
        "platforms",
        "vllm",
        "vllm_removed",
        "former_models",
        "former_settings",
    }
    assert told == set(json.loads(out))
    assert "Qwen3.6-27B" in _run("catalog")[1]


def test_schema_is_json() -> None:
    assert json.loads(_run("schema")[1])["title"] == "A stack of onprem-coding-agents"


def test_policy_pack_prints_the_folder_that_pulumi_preview_takes() -> None:
    assert _run("policy-pack") == (0, f"{Path(__file__).parents[2] / 'policy'}\n", "")


def test_policy_pack_says_how_to_mend_an_installation_without_it(tmp_path: Path) -> None:
    (tmp_path / "policy").mkdir()  # somebody else's

    with pytest.raises(EnvironmentProblem, match="pip install --force-reinstall") as told:
        find_pack(tmp_path)

    assert str(tmp_path) in str(told.value)


def test_policy_pack_names_the_extra_where_the_packs_sdk_is_not_installed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("onprem_agents.cli.policy_pack.find_spec", lambda _: None)

    code, out, err = _run("policy-pack")

    assert (code, out) == (1, "")
    assert "pip install 'onprem-coding-agents[platform]'" in err


@pytest.mark.parametrize("command", ["plan", "render"])
def test_an_unknown_stack_ends_in_a_sentence_with_the_nearest_name(command: str) -> None:
    code, out, err = _run(command, "locla", "--stacks", STACKS)

    assert code == 1
    assert out == ""
    assert "did you mean local?" in err


def test_preflight_without_a_cluster_says_where_it_looked(tmp_path: Path) -> None:
    code, _, err = _run("preflight", "local", "--stacks", STACKS, "--kubeconfig", str(tmp_path / "none"))

    assert code == 1
    assert str(tmp_path / "none") in err


BAD_STACK = """
config:
  onprem-coding-agents:platform:
    hardware: {tier: 48gb}
    models: [{role: UPPER, model: Qwen/Qwen3.6-27B-FP8}]
    access: {host: agents.example, tls: {issuer: ca}, developers: {alice: {}}}
"""


@pytest.mark.parametrize("command", ["plan", "explain", "preflight"])
def test_bad_input_comes_as_json_where_json_was_asked_for(command: str, tmp_path: Path) -> None:
    (tmp_path / "Pulumi.bad.yaml").write_text(BAD_STACK)

    code, out, err = _run(command, "bad", "--stacks", str(tmp_path), "--json")

    assert (code, err) == (1, "")
    told = json.loads(out)
    assert (told["error"], told["source"]) == ("InvalidInput", "Pulumi.bad.yaml")
    (problem,) = told["problems"]
    assert (problem["where"], problem["cause"]) == ("platform.models[0].role", "bad-value")
    assert set(problem) == {"where", "cause", "found", "why", "fix"}


def test_an_unknown_name_comes_as_json_as_well() -> None:
    code, out, err = _run("fit", "Qwen3.6-27C", "--gpu", "L40S", "--json")

    assert (code, err) == (1, "")
    assert [problem["cause"] for problem in json.loads(out)["problems"]] == ["unknown-name"]


def test_bad_input_is_a_text_on_stderr_without_json(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.bad.yaml").write_text(BAD_STACK)

    code, out, err = _run("render", "bad", "--stacks", str(tmp_path))

    assert (code, out) == (1, "")
    assert "platform.models[0].role" in err


def test_explain_tells_a_role_s_problems_with_their_causes(tmp_path: Path) -> None:
    text = BAD_STACK.replace("UPPER", "coder").replace("FP8}", "FP8, context: 10000000}")
    (tmp_path / "Pulumi.bad.yaml").write_text(text)

    _, out, _ = _run("explain", "bad", "--stacks", str(tmp_path), "--json")
    _, told, _ = _run("explain", "bad", "--stacks", str(tmp_path))

    (role,) = json.loads(out)["models"]
    assert [problem["cause"] for problem in role["problems"]] == ["context-too-long"]
    assert "vLLM refuses more" in told


@pytest.mark.parametrize(
    ("model", "causes"),
    [
        (
            "Qwen/Qwen3-32B",
            ["context-too-long", "does-not-fit"],
        ),  # 32 GiB of weights, trained for 40,960 tokens
        ("moonshotai/Kimi-K2-Thinking", ["does-not-fit"]),
    ],
)
def test_explain_tells_each_problem_once(tmp_path: Path, model: str, causes: list[str]) -> None:
    text = (Path(STACKS) / "Pulumi.48gb.yaml").read_text(encoding="utf-8")
    text = re.sub("model: .*", f"model: {model}", text.replace("tier: 48gb", "tier: 24gb"))
    (tmp_path / "Pulumi.large.yaml").write_text(text, encoding="utf-8")
    _, out, _ = _run("explain", "large", "--stacks", str(tmp_path), "--json")
    (role,) = json.loads(out)["models"]
    assert [problem["cause"] for problem in role["problems"]] == causes
    _, told, _ = _run("explain", "large", "--stacks", str(tmp_path))
    for problem in role["problems"]:
        assert told.count(problem["why"]) == 1
    for change in role["changes"][:3]:
        assert told.count(change["text"]) == 1
    assert told.count("nothing is left for the KV cache") == 1
