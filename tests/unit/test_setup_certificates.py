"""The CA files: a company's own stay known beside the platform's, through every later run of setup."""

from __future__ import annotations

import json
import ssl
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from onprem_agents.agents import Agent
from onprem_agents.agents.codex import CODEX
from onprem_agents.agents.machine import Machine
from onprem_agents.setup import journal
from onprem_agents.setup.certificates import Certificates, certificates
from tests.unit.setup_machine import KEY, Setup
from tests.unit.test_smoke_wire import self_signed

pytestmark = pytest.mark.unit
PYTHONS = replace(CODEX, ca_variables=("SSL_CERT_FILE",))


def issued(folder: Path) -> tuple[Path, Path]:
    """Return the file of a new CA, and one with its key beside it."""
    folder.mkdir()
    return self_signed(folder)


def held(path: str | Path) -> set[bytes]:
    """Return the certificates that OpenSSL reads from that file."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(path)
    return set(context.get_ca_certs(binary_form=True))


def written(machine: Machine, ca_file: Path, *agents: Agent, **told: list[str]) -> Certificates:
    done = certificates(machine, "user", ca_file, agents, told)
    journal.apply([change for change in done.changes if change.needed], machine.history)
    return done


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(home=tmp_path / "home", project=tmp_path, root=tmp_path / "root", variables={})


@pytest.fixture
def ours(tmp_path: Path) -> Path:
    return issued(tmp_path / "platform")[0]


@pytest.fixture
def company(tmp_path: Path) -> Path:
    return issued(tmp_path / "company")[1]


def test_the_companys_file_and_the_platforms_become_one(
    run_setup: Setup, home: Path, ours: Path, company: Path
) -> None:
    result = run_setup("--ca-file", str(ours), ONPREM_API_KEY=KEY, NODE_EXTRA_CA_CERTS=str(company))
    assert result.exit_code == 0, result.output
    bundle = home / ".config/onprem/ca-bundle.pem"
    assert held(bundle) == held(ours) | held(company)
    assert b"PRIVATE" not in bundle.read_bytes(), "a key beside a certificate stays where it is"
    lines = (home / ".config/onprem/env.sh").read_text()
    assert f"export NODE_EXTRA_CA_CERTS={bundle}\n" in lines
    assert f"export CODEX_CA_CERTIFICATE={bundle}\n" in lines
    whole = home / ".config/onprem/ca-whole.pem"
    assert f"export SSL_CERT_FILE={whole}\n" in lines, "it stands in the place of the public certificates"
    assert held(whole) > held(bundle)
    settings = json.loads((home / ".claude/settings.json").read_text())
    assert settings["env"]["NODE_EXTRA_CA_CERTS"] == str(bundle)


def test_a_shell_that_knows_our_file_alone_keeps_the_companys_in_it(
    run_setup: Setup, home: Path, tmp_path: Path, ours: Path, company: Path
) -> None:
    run_setup("--ca-file", str(ours), ONPREM_API_KEY=KEY, NODE_EXTRA_CA_CERTS=str(company))
    bundle = home / ".config/onprem/ca-bundle.pem"
    again = run_setup(ONPREM_API_KEY=KEY, NODE_EXTRA_CA_CERTS=str(bundle))
    assert "Everything is set up already" in again.output
    renewed, _ = issued(tmp_path / "renewed")
    company.write_bytes(renewed.read_bytes())
    run_setup(ONPREM_API_KEY=KEY, NODE_EXTRA_CA_CERTS=str(bundle))
    assert held(bundle) == held(ours) | held(renewed)
    company.unlink()
    run_setup(ONPREM_API_KEY=KEY, NODE_EXTRA_CA_CERTS=str(bundle))
    settings = json.loads((home / ".claude/settings.json").read_text())
    assert settings["env"]["NODE_EXTRA_CA_CERTS"] == str(home / ".config/onprem/ca.pem")


def test_a_file_that_the_agents_own_settings_name_is_joined_too(
    run_setup: Setup, home: Path, ours: Path, company: Path
) -> None:
    (home / ".claude").mkdir()
    (home / ".claude/settings.json").write_text(json.dumps({"env": {"NODE_EXTRA_CA_CERTS": str(company)}}))
    run_setup("--ca-file", str(ours), ONPREM_API_KEY=KEY)
    assert held(home / ".config/onprem/ca-bundle.pem") == held(ours) | held(company)


@pytest.mark.parametrize("content", [None, "hello"])
def test_a_variable_that_names_no_certificate_is_told_of_and_left_out(
    machine: Machine, tmp_path: Path, ours: Path, content: str | None
) -> None:
    other = tmp_path / "other.pem"
    if content:
        other.write_text(content)
    done = written(machine, ours, CODEX, SSL_CERT_FILE=[str(other)])
    assert done.notes == (
        f"{other}, which a variable names as CA file, holds no certificate; it was left out.",
    )
    assert done.added == str(machine.own_folder / "ca.pem")


def test_a_file_with_the_same_certificate_needs_no_joining(
    machine: Machine, ours: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.pem"
    copy.write_bytes(ours.read_bytes().replace(b"\n", b"\r\n"))
    assert written(machine, ours, CODEX, SSL_CERT_FILE=[str(copy)]).added == str(
        machine.own_folder / "ca.pem"
    )


def test_a_variable_that_replaces_gets_the_public_certificates_too(
    machine: Machine, tmp_path: Path, ours: Path, company: Path
) -> None:
    roots = machine.root / "etc/ssl/certs/ca-certificates.crt"
    roots.parent.mkdir(parents=True)
    public, _ = issued(tmp_path / "public")
    roots.write_bytes(public.read_bytes())

    done = written(machine, ours, PYTHONS, CODEX, CODEX_CA_CERTIFICATE=[str(company)])

    assert (done.added, done.whole) == tuple(
        str(machine.own_folder / name) for name in ("ca-bundle.pem", "ca-whole.pem")
    )
    assert held(machine.own_folder / "ca-bundle.pem") == held(ours) | held(company)
    assert held(machine.own_folder / "ca-whole.pem") == held(ours) | held(company) | held(public)


def test_the_users_own_choice_of_public_certificates_stands_for_the_systems(
    machine: Machine, ours: Path, company: Path
) -> None:
    done = written(machine, ours, PYTHONS, SSL_CERT_FILE=[str(company)])
    assert done.whole is not None
    assert held(done.whole) == held(ours) | held(company)


def test_the_shell_of_every_user_knows_the_machines_ca_file_and_the_switches(
    run_setup: Setup, tmp_path: Path, ours: Path, company: Path
) -> None:
    root = tmp_path / "image"
    (root / "etc/fish").mkdir(parents=True)
    (root / "etc/zsh").mkdir()
    (root / "etc/bash.bashrc").write_text("# the system's own")
    asked = ("--scope", "managed", "--root", str(root), "--ca-file", str(ours))
    result = run_setup(*asked, NODE_EXTRA_CA_CERTS=str(company))
    assert result.exit_code == 0, result.output

    assert (root / "etc/onprem/ca.pem").read_bytes() == ours.read_bytes()
    assert not (root / "etc/onprem/ca-bundle.pem").exists(), "this shell's files are not those of an image"
    managed = json.loads((root / "etc/claude-code/managed-settings.json").read_text())
    assert managed["env"]["NODE_EXTRA_CA_CERTS"] == "/etc/onprem/ca.pem"
    told = "echo $NODE_EXTRA_CA_CERTS $CODEX_CA_CERTIFICATE $OPENCODE_DISABLE_MODELS_FETCH $NO_PROXY"
    said = "/etc/onprem/ca.pem /etc/onprem/ca.pem 1 agents.example.internal\n"
    for shell in ("dash", "bash"):
        lines = root / "etc/profile.d/onprem-agents.sh"
        done = subprocess.run(
            [shell, "-euc", f'. "{lines}"; {told}'], env={}, capture_output=True, text=True, check=True
        )
        assert done.stdout == said
    assert "set -gx NODE_EXTRA_CA_CERTS" in (root / "etc/fish/conf.d/onprem-agents.fish").read_text()
    line = '[ -r "/etc/profile.d/onprem-agents.sh" ] && . "/etc/profile.d/onprem-agents.sh" # onprem-coding-agents\n'
    assert (root / "etc/zsh/zshenv").read_text() == line
    assert (root / "etc/bash.bashrc").read_text() == f"# the system's own\n{line}"
    assert (root / "etc/profile.d/onprem-agents.sh").stat().st_mode & 0o777 == 0o644
    assert "Everything is set up already" in run_setup(*asked[:-2]).output, "the copy is kept"


def test_without_start_files_a_machine_gets_the_agents_own_alone(
    run_setup: Setup, tmp_path: Path, ours: Path
) -> None:
    root = tmp_path / "image"
    run_setup("--scope", "managed", "--root", str(root), "--ca-file", str(ours), "--no-shell")
    assert not (root / "etc/profile.d").exists()
    assert (root / "etc/onprem/ca.pem").exists()
