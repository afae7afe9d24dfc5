"""What goes into the shell's start file, run by the real shells that are installed; no key is in it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest

from onprem_agents.agents import AGENTS
from onprem_agents.agents.ccr import CCR
from onprem_agents.agents.claude import CLAUDE
from onprem_agents.agents.codex import CODEX
from onprem_agents.agents.environment import Environment
from onprem_agents.agents.litellm import LITELLM
from onprem_agents.agents.opencode import OPENCODE
from onprem_agents.agents.start import environment
from onprem_agents.setup.printed import printed
from onprem_agents.setup.shell import Shell, script
from tests.unit.contract_samples import contract

pytestmark = pytest.mark.unit

KEY = "k-0123456789"
SHELLS = ("bash", "dash", "zsh", "fish")
LANGUAGES: dict[str, Shell] = {"zsh": "zsh", "fish": "fish"}
PRINT_ENV = "import json, os; print(json.dumps(dict(os.environ)))"


def run_in(shell: str, lines: str, home: Path, **variables: str) -> dict[str, str]:
    """Run the lines in a real shell in an empty home; return the environment of a program started after."""
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"{shell} is not installed")
    python = shutil.which("python3") or "python3"
    done = subprocess.run(
        [program, "-c", f"{lines}\n{python} -c '{PRINT_ENV}'"],
        env={"HOME": str(home), "PATH": os.environ["PATH"], **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    found: dict[str, str] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_an_agent_started_from_the_shell_finds_key_switches_and_no_foreign_key(
    shell: Shell, tmp_path: Path
) -> None:
    whole = environment(contract(), *AGENTS, ca_file="/etc/our ca's.pem", whole_ca_file="/etc/all.pem")
    found = run_in(
        shell,
        script(whole, shell),
        tmp_path,
        ONPREM_API_KEY=KEY,
        ANTHROPIC_API_KEY="another",
        NO_PROXY="localhost",
    )
    assert found["ONPREM_API_KEY"] == found["LITELLM_API_KEY"] == found["AIDER_OPENAI_API_KEY"] == KEY
    assert found["ANTHROPIC_AUTH_TOKEN"] == KEY
    assert "ANTHROPIC_API_KEY" not in found
    assert found["NO_PROXY"] == found["no_proxy"] == "localhost,agents.example.internal"
    assert found["NODE_EXTRA_CA_CERTS"] == found["CODEX_CA_CERTIFICATE"] == "/etc/our ca's.pem"
    assert found["OPENCODE_DISABLE_MODELS_FETCH"] == "1"
    assert found["SSL_CERT_FILE"] == "/etc/all.pem", "ours alone would lock out every other tool"
    assert "npm_config_registry" not in found  # would break every npm install that the agent runs


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_key_is_read_from_the_developers_own_file(shell: Shell, tmp_path: Path) -> None:
    folder = tmp_path / ".config" / "onprem"
    folder.mkdir(parents=True)
    (folder / "key").write_text(KEY + "\n")
    found = run_in(shell, script(environment(contract(), CODEX), shell), tmp_path)
    assert found["ONPREM_API_KEY"] == KEY
    assert found["NO_PROXY"] == "agents.example.internal"


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    ("upper", "lower", "united"),
    [
        (None, None, "agents.example.internal"),
        ("", "localhost,.corp,", "localhost,.corp,agents.example.internal"),
        ("localhost,.corp", "10.0.0.1,.corp", "localhost,.corp,10.0.0.1,agents.example.internal"),
        ("*.corp, localhost", None, "*.corp, localhost,agents.example.internal"),
        ("agents.example.internal", None, "agents.example.internal"),
    ],
)
def test_both_spellings_of_no_proxy_hold_all_hosts_once_in_nested_shells_too(
    shell: str, upper: str | None, lower: str | None, united: str, tmp_path: Path
) -> None:
    told = {name: value for name, value in (("NO_PROXY", upper), ("no_proxy", lower)) if value is not None}
    lines = script(Environment(no_proxy=("agents.example.internal",)), LANGUAGES.get(shell, "bash"))
    found = run_in(shell, lines, tmp_path, **told)
    again = run_in(shell, lines, tmp_path, **{name: found[name] for name in ("NO_PROXY", "no_proxy")})
    for seen in (found, again):
        assert (seen["NO_PROXY"], seen["no_proxy"]) == (united, united)
        assert not [name for name in seen if "onprem" in name.lower()]


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("told", [{"NO_PROXY": "*"}, {"no_proxy": "*", "NO_PROXY": "localhost"}])
def test_a_star_for_every_host_stays_alone(shell: str, told: dict[str, str], tmp_path: Path) -> None:
    lines = script(Environment(no_proxy=("agents.example.internal",)), LANGUAGES.get(shell, "bash"))
    found = run_in(shell, lines, tmp_path, **told)
    assert {name: found[name] for name in ("NO_PROXY", "no_proxy") if name in found} == told


@pytest.mark.parametrize("shell", SHELLS)
def test_setup_changes_nothing_else_of_the_shell_and_a_nested_one_not_at_all(
    shell: str, tmp_path: Path
) -> None:
    whole = environment(contract(), OPENCODE, CODEX, ca_file="/etc/our ca's.pem")
    lines = script(replace(whole, keys={}), LANGUAGES.get(shell, "bash"))
    bare = run_in(shell, "", tmp_path)
    found = run_in(shell, lines, tmp_path)
    nested = run_in(shell, lines, tmp_path, **{name: found[name] for name in found.keys() - bare.keys()})
    mine = {"OPENCODE_DISABLE_MODELS_FETCH", "OPENCODE_DISABLE_LSP_DOWNLOAD", "NO_PROXY", "no_proxy"}
    assert found.keys() - bare.keys() == mine | {"NODE_EXTRA_CA_CERTS", "CODEX_CA_CERTIFICATE"}
    counters = {"SHLVL", "_"}
    assert {k: found[k] for k in bare.keys() - counters} == {k: bare[k] for k in bare.keys() - counters}
    assert {k: nested[k] for k in nested.keys() - counters} == {k: found[k] for k in found.keys() - counters}


@pytest.mark.parametrize("shell", SHELLS)
def test_no_command_becomes_a_function_so_a_script_starts_the_agent_as_a_person_does(
    shell: str, tmp_path: Path
) -> None:
    lines = script(
        replace(environment(contract(), *AGENTS), keys={}, copies={}), LANGUAGES.get(shell, "bash")
    )
    program = tmp_path / "bin" / "opencode"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\nenv | grep -i npm_ > "$HOME/npm"; echo "$*" > "$HOME/said"\n')
    program.chmod(0o755)
    run_in(
        shell, f'{lines}\nopencode run "two words"', tmp_path, PATH=f"{program.parent}:{os.environ['PATH']}"
    )
    assert ((tmp_path / "said").read_text(), (tmp_path / "npm").read_text()) == ("run two words\n", "")


def test_powershell_lines_are_the_documented_ones() -> None:
    lines = script(environment(contract(), CLAUDE, ca_file="C:\\our ca's.pem"), "powershell").splitlines()
    assert lines == [
        "# Where to get the key for ONPREM_API_KEY: ask platform@example.com",
        (
            "if (-not $env:ONPREM_API_KEY)"
            ' { $env:ONPREM_API_KEY = (Get-Content -Raw "$HOME/.config/onprem/key").Trim() }'
        ),
        "Remove-Item Env:ANTHROPIC_API_KEY -ErrorAction SilentlyContinue",
        "$env:NODE_EXTRA_CA_CERTS = 'C:\\our ca''s.pem'",
        "$env:ANTHROPIC_AUTH_TOKEN = $env:ONPREM_API_KEY",
        "if ($env:NO_PROXY -ne '*') {",
        (
            "    $env:NO_PROXY = (@(\"$env:NO_PROXY\".Split(',') + @('agents.example.internal') |"
            " Where-Object { $_ } | Select-Object -Unique)) -join ','"
        ),
        "}",
    ]


def test_fish_lines_are_the_documented_ones() -> None:
    lines = script(environment(contract(), CODEX, ca_file="/a\\b'c"), "fish").splitlines()
    assert lines == [
        "# Where to get the key for ONPREM_API_KEY: ask platform@example.com",
        "set -q ONPREM_API_KEY; or set -gx ONPREM_API_KEY (cat ~/.config/onprem/key)",
        "set -gx CODEX_CA_CERTIFICATE '/a\\\\b\\'c'",
        'if not contains -- \'*\' "$NO_PROXY" "$no_proxy"',
        "    for onprem_host in (string split -n , -- $no_proxy) 'agents.example.internal'",
        "        contains -- $onprem_host (string split -n , -- $NO_PROXY)",
        "        or set -gx NO_PROXY (string join , -- (string split -n , -- $NO_PROXY) $onprem_host)",
        "    end",
        "    set -e onprem_host",
        "    set -gx no_proxy $NO_PROXY",
        "end",
    ]


def test_a_private_ca_without_a_file_is_a_hint_with_the_right_variables() -> None:
    notes = environment(contract(), *AGENTS).notes
    assert notes[-1] == (
        "The CA file: https://wiki.example.internal/ca.pem . Then set NODE_EXTRA_CA_CERTS and"
        " CODEX_CA_CERTIFICATE and SSL_CERT_FILE to its path (--ca-file)."
    )


def test_a_publicly_trusted_certificate_needs_no_word() -> None:
    notes = environment(contract("tls", "caHint", value=None), CODEX).notes
    assert notes == ("Where to get the key for ONPREM_API_KEY: ask platform@example.com",)


def test_claude_code_behind_the_router_stays_within_the_models_limits() -> None:
    found = environment(contract(), CCR)
    assert found.values == {
        "ANTHROPIC_BASE_URL": "http://127.0.0.1:3456",
        "ANTHROPIC_MODEL": "coder,coder",
        "ANTHROPIC_DEFAULT_OPUS_MODEL": "coder,coder",
        "ANTHROPIC_DEFAULT_SONNET_MODEL": "coder,coder",
        "ANTHROPIC_DEFAULT_HAIKU_MODEL": "fast,fast",
        "CLAUDE_CODE_SUBAGENT_MODEL": "coder,coder",
        "CLAUDE_CODE_MAX_CONTEXT_TOKENS": "131072",
        "CLAUDE_CODE_MAX_OUTPUT_TOKENS": "16384",
        "CLAUDE_CODE_MAX_RETRIES": "4",
        "API_TIMEOUT_MS": "1800000",
        "CLAUDE_STREAM_IDLE_TIMEOUT_MS": "900000",
        "CLAUDE_CODE_MODEL_CAPABILITIES": (
            "-mid_conv_system,-mid_conv_tool_change,-effort,-context_management,-adaptive_thinking"
        ),
        "MAX_THINKING_TOKENS": "2048",
        "CLAUDE_CODE_DISABLE_1M_CONTEXT": "1",
        "CLAUDE_CODE_DISABLE_EXPERIMENTAL_BETAS": "1",
        "CLAUDE_CODE_ATTRIBUTION_HEADER": "0",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "CLAUDE_CODE_DISABLE_OFFICIAL_MARKETPLACE_AUTOINSTALL": "1",
        "DISABLE_AUTOUPDATER": "1",
        "CCR_RAW_TRACE_ENABLED": "false",
    }
    assert found.no_proxy == ("127.0.0.1", "agents.example.internal")


def test_the_router_always_moves_system_messages_to_the_front() -> None:
    found = environment(contract("roles", 0, "claudeCapabilities", value=[]), CCR)
    assert found.values["CLAUDE_CODE_MODEL_CAPABILITIES"] == "-mid_conv_system,-mid_conv_tool_change"


def test_litellm_has_a_master_key_of_its_own_and_stays_quiet() -> None:
    found = environment(contract(), LITELLM, ca_file="/ca.pem")
    assert found.keys == {"ONPREM_API_KEY": "key", "LITELLM_MASTER_KEY": "litellm-key"}
    assert found.copies == {"ANTHROPIC_AUTH_TOKEN": "LITELLM_MASTER_KEY"}
    assert found.values == {
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "REPEATED_STREAMING_CHUNK_LIMIT": "10000",
        "SSL_CERT_FILE": "/ca.pem",
    }


@pytest.mark.parametrize("shell", get_args(Shell))
def test_an_empty_environment_is_an_empty_line(shell: Shell) -> None:
    assert script(Environment(), shell) == "\n"


@pytest.mark.parametrize(
    ("shell", "path"),
    [
        ("bash", "~/.bashrc"),
        ("zsh", "~/.zshrc"),
        ("fish", "~/.config/fish/config.fish"),
        ("powershell", "$PROFILE"),
    ],
)
def test_the_shells_lines_come_last_and_name_their_file(shell: Shell, path: str) -> None:
    file = printed(contract(), CODEX, shell=shell)[-1]
    assert (file.path_hint, file.format) == (path, "shell")
