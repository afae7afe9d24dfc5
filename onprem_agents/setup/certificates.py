"""The CA files that agents are told of: the platform's, joined with those that the machine was told of before.

A variable holds one file, so setup must not put the platform's CA in the place of the company's: it makes one file of
both, in its own folder. That file names its sources, so that a later run, in a shell that knows it alone, makes it
anew from the same ones.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from onprem_agents.agents import Agent
from onprem_agents.agents.machine import Machine, Scope
from onprem_agents.agents.start import REPLACING
from onprem_agents.errors import EnvironmentProblem
from onprem_agents.setup.changes import Change, find

COPY, JOINED, WHOLE = "ca.pem", "ca-bundle.pem", "ca-whole.pem"
_HEAD = "# Made by onprem-agents setup, anew at each run, from these files:\n"
_SOURCE = re.compile(r"^# from (.+)$", re.MULTILINE)
_CERTIFICATE = re.compile(
    rb"-----BEGIN (?P<kind>(?:TRUSTED |X509 )?CERTIFICATE)-----\s[A-Za-z0-9+/=\s]+-----END (?P=kind)-----"
)
# Where systems keep the certificates that everybody trusts (Go 1.25, crypto/x509/root_linux.go and root_bsd.go).
_ROOTS = (
    "etc/ssl/certs/ca-certificates.crt",
    "etc/pki/tls/certs/ca-bundle.crt",
    "etc/ssl/ca-bundle.pem",
    "etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "etc/ssl/cert.pem",
)


@dataclass(frozen=True, kw_only=True)
class Certificates:
    """The files to write; what agents are told where a variable adds, and where it replaces; sentences to show."""

    changes: tuple[Change, ...] = ()
    added: str | None = None
    whole: str | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class _Sources:
    """Certificates by the file that they are from, the platform's first."""

    content: dict[Path, list[bytes]] = field(default_factory=dict)

    def text(self) -> bytes:
        """Return one file of them all, each once."""
        parts, seen = [_HEAD.encode()], set[bytes]()
        for path, certificates in self.content.items():
            parts.append(f"# from {path}\n".encode())
            parts += [item + b"\n" for item in dict.fromkeys(certificates) if item not in seen]
            seen.update(certificates)
        return b"".join(parts)


def kept(machine: Machine, scope: Scope) -> Path | None:
    """Return the CA file of an earlier run, if there is one."""
    folder = {"user": machine.own_folder, "managed": machine.machine_folder}.get(scope)
    return folder / COPY if folder is not None and (folder / COPY).exists() else None


def certificates(
    machine: Machine,
    scope: Scope,
    ca_file: Path | None,
    agents: Sequence[Agent],
    told: Mapping[str, Sequence[str]],
) -> Certificates:
    """Return the files for a platform's CA file, in the user's own folder or in that of the machine; none without one.

    `told` are the files that each variable names, in the shell and in the agents' own settings. Raises
    `EnvironmentProblem` when the CA file cannot be read.
    """
    if ca_file is None:
        return Certificates()
    folder = machine.machine_folder if scope == "managed" else machine.own_folder
    seen_as = machine.seen(folder) if scope == "managed" else folder
    content = find(ca_file).content or b""
    changes = [Change(found=find(folder / COPY), content=content, summary="your copy of the CA file")]
    ours, own = _certificates(content), (folder, seen_as)
    names = dict.fromkeys(name for agent in agents for name in agent.ca_variables)
    named = [Path(file) for name in names for file in told.get(name, ()) if Path(file).parent not in own]
    others, notes = {}, []
    for path in dict.fromkeys((*named, *_sources_of(folder / JOINED))):
        found = _read(path)
        if not found and path in named:
            notes.append(f"{path}, which a variable names as CA file, holds no certificate; it was left out.")
        elif not set(found) <= set(ours):
            others[path] = found
    added = whole = COPY
    if others:
        added = whole = JOINED
        joined = _Sources(content={seen_as / COPY: ours} | others)
        changes.append(_made(folder / JOINED, joined))
    if any(agent.ca_variables[0] in REPLACING for agent in agents):
        whole = WHOLE
        mine = [Path(file) for file in told.get("SSL_CERT_FILE", ()) if Path(file) in others]
        public = {} if mine else roots(machine.root)
        changes.append(_made(folder / WHOLE, _Sources(content={seen_as / COPY: ours} | others | public)))
        if not (mine or public):
            notes.append(f"No public certificates were found on this machine; {seen_as / WHOLE} lacks them.")
    return Certificates(
        changes=tuple(changes),
        added=str(seen_as / added),
        whole=str(seen_as / whole),
        notes=tuple(notes),
    )


def _made(path: Path, sources: _Sources) -> Change:
    listed = " and ".join(str(source) for source in sources.content)
    return Change(found=find(path), content=sources.text(), summary=f"the certificates of {listed}")


def roots(root: Path) -> dict[Path, list[bytes]]:
    """Return the certificates that everybody trusts: the system's file, or what Python finds (Windows)."""
    for name in _ROOTS:
        if found := _read(root / name):
            return {Path("/") / name: found}
    loaded = ssl.create_default_context().get_ca_certs(binary_form=True)
    found = [ssl.DER_cert_to_PEM_cert(item).strip().encode() for item in loaded]
    return {Path("the system's own store"): found} if found else {}


def _sources_of(bundle: Path) -> list[Path]:
    text = (find(bundle).content or b"").decode("utf-8", "replace")
    paths = [Path(name) for name in _SOURCE.findall(text)] if text.startswith(_HEAD) else []
    return [path for path in paths[1:] if path.is_absolute()]


def _read(path: Path) -> list[bytes]:
    """Return the certificates in that file; none when there are none, or it cannot be read."""
    try:
        return _certificates(find(path).content or b"")
    except EnvironmentProblem:
        return []


def _certificates(content: bytes) -> list[bytes]:
    """Return the certificates alone, without keys and comments."""
    return [match[0].replace(b"\r\n", b"\n") for match in _CERTIFICATE.finditer(content)]
