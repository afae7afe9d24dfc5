"""Developers' keys in a stack file: added, exchanged, revoked; the value is seen by nobody but its new owner.

Pulumi encrypts: it gets the key by standard input and writes into a copy of the stack file, from which only the
cipher text is taken over. So the file changes in one step, and everything else in it stays as it was.
"""

from __future__ import annotations

import secrets
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from onprem_agents.errors import Cause, EnvironmentProblem, InvalidInput, Problem, cleaned, nearest_hint
from onprem_agents.files import write_file
from onprem_agents.stack.settings import PROJECT
from onprem_agents.stack.settings_reader import parse_platform
from onprem_agents.stack.stack_edit import put, remove
from onprem_agents.stack.stack_file import read_stack_file, stack_path

PULUMI_SECONDS = 120
KEY_BYTES = 32
# Scanners of repositories and logs find a key by its first letters.
KEY_PREFIX = "onprem-"
MOST_KEYS = 2
_KEYS = ("config", f"{PROJECT}:developerKeys")
_DEVELOPERS = ("config", f"{PROJECT}:platform", "access", "developers")


@dataclass(frozen=True, kw_only=True)
class Holder:
    """A developer of a stack. `keys` is how many are valid; `listed` whether the platform knows the name."""

    name: str
    team: str | None
    keys: int
    listed: bool


@dataclass(frozen=True, kw_only=True)
class _Stack:
    """A stack file as text and as values."""

    stack: str
    path: Path
    text: str = field(repr=False)

    def at(self, *path: str) -> Any:
        value: Any = yaml.safe_load(self.text)
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        return value

    def ciphers(self, name: str) -> list[str]:
        value = self.at(*_KEYS, name)
        parts = value if isinstance(value, list) else [value] if value is not None else []
        return [str(part["secure"]) for part in parts]


def new_key() -> str:
    """Return a new key: 256 random bits in base64url behind a prefix."""
    return KEY_PREFIX + secrets.token_urlsafe(KEY_BYTES)


def holders(folder: Path, stack: str) -> tuple[Holder, ...]:
    """Return everyone who stands in the stack file, as developer or with a key. Raises `InvalidInput`."""
    file = _read(folder, stack)
    developers = file.at(*_DEVELOPERS) or {}
    names = sorted({*developers, *(file.at(*_KEYS) or {})})
    return tuple(
        Holder(
            name=str(name),
            team=(developers.get(name) or {}).get("team"),
            keys=len(file.ciphers(name)),
            listed=name in developers,
        )
        for name in names
    )


def add(folder: Path, stack: str, name: str, key: str, *, team: str | None = None) -> None:
    """Give a developer a first key, and list the developer in the platform's settings.

    Raises `InvalidInput` for a name that has a key or cannot be one, `EnvironmentProblem` when Pulumi fails.
    """
    file = _read(folder, stack)
    if file.ciphers(name):
        fix = f"exchange it with: onprem-agents keys rotate {name} --stack {stack}"
        raise _refused(
            file, "contradiction", name, "a developer who has a key already", "add makes a first key", fix
        )
    text = file.text
    if name not in (file.at(*_DEVELOPERS) or {}):
        text = put(text, (*_DEVELOPERS, name), {"team": team} if team else {}, file.path.name)
        _check_platform(file, text)
    cipher, salt = _encrypted(file, name, key)
    _write(file, _with_salt(put(text, (*_KEYS, name), {"secure": cipher}, file.path.name), salt))


def rotate(folder: Path, stack: str, name: str, key: str) -> None:
    """Give a developer a second key; both are valid until `finish`. Raises as `add` does."""
    file = _read(folder, stack)
    old = _present(file, name)
    if len(old) >= MOST_KEYS:
        fix = f"end that exchange first: onprem-agents keys rotate {name} --finish --stack {stack}"
        raise _refused(
            file, "contradiction", name, f"{len(old)} keys", "an exchange is under way already", fix
        )
    cipher, salt = _encrypted(file, name, key)
    both = [{"secure": old[0]}, {"secure": cipher}]
    _write(file, _with_salt(put(file.text, (*_KEYS, name), both, file.path.name), salt))


def finish(folder: Path, stack: str, name: str) -> None:
    """End an exchange: the older key goes, the newer stays. Raises `InvalidInput` when there is only one."""
    file = _read(folder, stack)
    present = _present(file, name)
    if len(present) < MOST_KEYS:
        fix = f"begin one with: onprem-agents keys rotate {name} --stack {stack}"
        raise _refused(file, "nothing-to-do", name, "one key", "no exchange is under way", fix)
    _write(file, put(file.text, (*_KEYS, name), {"secure": present[-1]}, file.path.name))


def revoke(folder: Path, stack: str, name: str) -> None:
    """Take away all keys of a developer and the developer's place in the settings. Raises `InvalidInput`."""
    file = _read(folder, stack)
    text = file.text
    keys, developers = file.at(*_KEYS) or {}, file.at(*_DEVELOPERS) or {}
    if name not in keys and name not in developers:
        raise _unknown(file, name)
    if name in keys:
        text = remove(text, (*_KEYS, name) if len(keys) > 1 else _KEYS, file.path.name)
    if name in developers:
        if len(developers) == 1:
            fix = "add another developer first: onprem-agents keys add NAME"
            raise _refused(
                file,
                "contradiction",
                name,
                "the only developer",
                "a platform without developers is refused",
                fix,
            )
        text = remove(text, (*_DEVELOPERS, name), file.path.name)
    _check_platform(file, text)
    _write(file, text)


def newest(folder: Path, stack: str, name: str | None = None) -> tuple[str, str]:
    """Return a developer and the newest of that one's keys in plain text; without a name the first who has one.

    Raises as `add` does. Whoever takes the key shows it to nobody.
    """
    file = _read(folder, stack)
    listed = sorted(str(each) for each in file.at(*_DEVELOPERS) or {})
    name = name or next((each for each in listed if file.ciphers(each)), listed[0])
    present = _present(file, name)
    place = f'{PROJECT}:developerKeys["{name}"]'
    if isinstance(file.at(*_KEYS, name), list):
        place += f"[{len(present) - 1}]"
    argv = [
        "pulumi",
        "config",
        "get",
        "--path",
        place,
        "--stack",
        stack,
        "--config-file",
        str(file.path.resolve()),
    ]
    done = _pulumi([*argv, "--non-interactive", "--cwd", str(file.path.resolve().parent.parent)])
    key = done.stdout.decode("utf-8", "replace").strip()
    if done.returncode != 0 or not key:
        said = cleaned(done.stderr.decode("utf-8", "replace"), secret=None) or "it gave no reason"
        raise EnvironmentProblem(
            f"pulumi could not decrypt the key of {name} in stack {stack} ({said}); run this with its backend and "
            "passphrase set, or give a key with --key-file or a variable"
        )
    return name, key


def _read(folder: Path, stack: str) -> _Stack:
    read_stack_file(folder, stack)
    path = stack_path(folder, stack)
    file = _Stack(stack=stack, path=path, text=path.read_text(encoding="utf-8"))
    _check_platform(file, file.text)
    if isinstance((file.at(*_KEYS) or {}).get("secure"), str):
        why = "single keys cannot be added to it or taken from it without reading all of them"
        fix = f"remove it with 'pulumi config rm {PROJECT}:developerKeys -s {stack}' and add each developer anew"
        raise _refused(file, "unusual-layout", "developerKeys", "one secret for all developers", why, fix)
    return file


def _present(file: _Stack, name: str) -> list[str]:
    ciphers = file.ciphers(name)
    if not ciphers and name in (file.at(*_DEVELOPERS) or {}):
        fix = f"make a first one: onprem-agents keys add {name} --stack {file.stack}"
        raise _refused(file, "missing-secret", name, "no key", "there is none to exchange", fix)
    if not ciphers:
        raise _unknown(file, name)
    return ciphers


def _check_platform(file: _Stack, text: str) -> None:
    platform = _Stack(stack=file.stack, path=file.path, text=text).at(*_DEVELOPERS[:2])
    parse_platform(platform, file.path.name)


def _encrypted(file: _Stack, name: str, key: str) -> tuple[str, str | None]:
    """Return the cipher text of a key, and the stack's salt, which Pulumi makes with the first secret."""
    project = file.path.resolve().parent.parent
    path = f'{PROJECT}:developerKeys["{name}"]'
    with tempfile.TemporaryDirectory(prefix="onprem-") as scratch:
        copied = Path(scratch) / file.path.name
        present = file.ciphers(name)[:1]  # Pulumi sets no text where it finds a list
        one = (*_KEYS, name), {"secure": present[0]} if present else None
        copied.write_text(put(file.text, *one, file.path.name) if present else file.text, encoding="utf-8")
        argv = ["pulumi", "config", "set", "--secret", "--path", path, "--stack", file.stack]
        argv += ["--config-file", str(copied), "--non-interactive", "--cwd", str(project)]
        done = _pulumi(argv, key)
        if done.returncode != 0:
            said = cleaned(done.stderr.decode("utf-8", "replace"), secret=key) or "it gave no reason"
            raise EnvironmentProblem(
                f"pulumi could not encrypt for stack {file.stack} ({said}); nothing was changed; run this with"
                " its backend and passphrase set, after 'pulumi stack init'"
            )
        after = _Stack(stack=file.stack, path=copied, text=copied.read_text(encoding="utf-8"))
    salt = after.at("encryptionsalt") if file.at("encryptionsalt") is None else None
    ciphers = after.ciphers(name)
    if len(ciphers) != 1 or key in ciphers[0]:
        raise EnvironmentProblem(
            "pulumi returned no cipher text; nothing was changed; is its release current?"
        )
    return ciphers[0], salt


def _pulumi(argv: list[str], key: str = "") -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(
            argv, input=key.encode(), capture_output=True, timeout=PULUMI_SECONDS, check=False
        )
    except FileNotFoundError as error:
        raise EnvironmentProblem(
            "the pulumi command is not on PATH; install it, it encrypts and decrypts keys"
        ) from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EnvironmentProblem(f"pulumi did not answer ({error}); nothing was changed") from error


def _with_salt(text: str, salt: str | None) -> str:
    return text if salt is None else f"{text.rstrip(chr(10))}\nencryptionsalt: {salt}\n"


def _write(file: _Stack, text: str) -> None:
    mode = file.path.stat().st_mode & 0o777
    if file.path.read_text(encoding="utf-8") != file.text:
        raise EnvironmentProblem(f"{file.path} changed meanwhile; nothing was written; run the command again")
    try:
        write_file(file.path.resolve(), text.encode(), mode)
    except OSError as error:
        raise EnvironmentProblem(f"{file.path} cannot be written: {error}; nothing was changed") from error


def _unknown(file: _Stack, name: str) -> InvalidInput:
    known = sorted({*(file.at(*_DEVELOPERS) or {}), *(file.at(*_KEYS) or {})})
    why = "no developer of that name stands in the stack file"
    return _refused(
        file, "unknown-name", name, "an unknown name", why, nearest_hint(name, [str(item) for item in known])
    )


def _refused(file: _Stack, cause: Cause, where: str, found: str, why: str, fix: str) -> InvalidInput:
    return InvalidInput(file.path.name, [Problem(where=where, cause=cause, found=found, why=why, fix=fix)])
