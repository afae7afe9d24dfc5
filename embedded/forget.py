"""Begin anew: undo what this checkout's `up` wrote, the state folder and the secrets in the stack files.

Only secrets that this checkout's own passphrase encrypted are taken out: once the state folder is gone nobody
could read them. Those of another passphrase stay untouched.
"""

from __future__ import annotations

import base64
import re
import shutil
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

from embedded.layout import Layout
from onprem_agents.stack.settings import PROJECT

# Pulumi's passphrase secrets: PBKDF2-SHA256, a million rounds, AES-256-GCM over the word `pulumi`
# (sdk/go/common/resource/config/crypt.go, 3.259.0, read 2026-11).
_ROUNDS = 1_000_000
_KEY_BYTES = 32
_PROOF = b"pulumi"
_SALT_LINE = re.compile(r"^encryptionsalt: (v1:\S+)\n", re.MULTILINE)
_SECRETS = re.compile(rf"^  {PROJECT}:(?:developerKeys|serverKey):.*\n(?:   .*\n)*", re.MULTILINE)


def forget(layout: Layout) -> list[str]:
    """Delete the state folder and the secrets it could decrypt; return what was done, as sentences."""
    done = []
    if layout.passphrase_file.is_file():
        passphrase = layout.passphrase_file.read_text(encoding="utf-8").strip()
        files = sorted((layout.checkout / "stacks").glob("Pulumi.*.yaml"))
        done += [
            f"took the local keys and their salt out of {file.name}"
            for file in files
            if _take_secrets_out(file, passphrase)
        ]
    if layout.state.exists():
        shutil.rmtree(layout.state)
        done.append(f"deleted {layout.state}")
    return done


def _take_secrets_out(file: Path, passphrase: str) -> bool:
    text = file.read_text(encoding="utf-8")
    salt = _SALT_LINE.search(text)
    if salt is None or not encrypted_with(salt[1], passphrase):
        return False
    file.write_text(_SECRETS.sub("", _SALT_LINE.sub("", text)), encoding="utf-8")
    return True


def encrypted_with(salt: str, passphrase: str) -> bool:
    """Tell whether an `encryptionsalt` of a stack file belongs to the passphrase."""
    try:
        _, encoded_salt, _, nonce, proof = salt.split(":")
        key = PBKDF2HMAC(hashes.SHA256(), _KEY_BYTES, base64.b64decode(encoded_salt), _ROUNDS)
        cipher = AESGCM(key.derive(passphrase.encode()))
        return cipher.decrypt(base64.b64decode(nonce), base64.b64decode(proof), None) == _PROOF
    except (ValueError, InvalidTag):
        return False
