"""`./dev down --forget` undoes what `up` wrote, and touches no secret of somebody else's passphrase."""

from __future__ import annotations

from pathlib import Path

import pytest

from embedded.forget import encrypted_with, forget
from embedded.layout import Layout

# Made by `pulumi stack init` 3.259.0 with the passphrase `correct horse`.
SALT = "v1:SD4HIk+pmgs=:v1:J2xHncfg2qyEW2xi:zIbbbyCDpr6K2na/9/oj9yQm/KJzvg=="
STACK = """\
# A comment that stays.
config:
  onprem-coding-agents:platform:
    models: [{role: coder}]
"""
SECRETS = """\
  onprem-coding-agents:developerKeys:
    alice:
      secure: v1:qBp9PlvW/bTJViYZ:oLv+WqYCekH7ZqLA
  onprem-coding-agents:serverKey:
    secure: v1:a7CeYWKpxERdpm96:Qwwy/JBgp0UPTPJ3
"""


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    layout = Layout(checkout=tmp_path / "c", state=tmp_path / "c" / ".onprem", cache=tmp_path / "cache")
    (layout.checkout / "stacks").mkdir(parents=True)
    (layout.checkout / "stacks" / "Pulumi.local.yaml").write_text(f"{STACK}{SECRETS}encryptionsalt: {SALT}\n")
    layout.state.mkdir()
    return layout


def test_own_secrets_and_the_state_are_gone_and_the_rest_of_the_file_stays(layout: Layout) -> None:
    layout.passphrase_file.write_text("correct horse\n")

    done = forget(layout)

    assert (layout.checkout / "stacks" / "Pulumi.local.yaml").read_text() == STACK
    assert not layout.state.exists()
    assert len(done) == 2


def test_secrets_of_another_passphrase_stay(layout: Layout) -> None:
    layout.passphrase_file.write_text("another one\n")

    forget(layout)

    assert "developerKeys" in (layout.checkout / "stacks" / "Pulumi.local.yaml").read_text()


@pytest.mark.parametrize("salt", ["", "v1:x", "v1:!!:v1:!!:!!", SALT[:-4]])
def test_a_damaged_salt_belongs_to_no_passphrase(salt: str) -> None:
    assert encrypted_with(salt, "correct horse") is False
