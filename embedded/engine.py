"""Drives the real Pulumi engine for one checkout: environment, stacks, keys, updates, recovery after a crash."""

from __future__ import annotations

import json
import os
import re
import secrets
import subprocess
import sysconfig
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from embedded.children import run_logged
from embedded.cut_off import Pending, disown, exists, pending_creates, unfinished
from embedded.former_state import continued
from embedded.kube import KubeWriter
from embedded.layout import Layout
from embedded.toolchain import Binary
from onprem_agents.errors import EnvironmentProblem, OnpremError
from onprem_agents.stack.settings import KUBERNETES_PLUGIN, PROJECT
from onprem_agents.stack.stack_file import StackFile

_CLI_SECONDS = 120
# The flag is given once for a URN and once more for its id (Pulumi CLI 3.259, refresh.go, read 2026-11).
_IMPORT_PENDING = "--import-pending-creates"
# Lines of the engine's display that carry no news for a person who reads an error.
_NOISE = re.compile(
    r"^\s*(@ |pulumi:pulumi:Stack|Resources:|Duration:|View Live|Updating|Previewing|Destroying|$)"
)
# Its sections, and those that name a fault (Pulumi CLI 3.259, pkg/backend/display, read 2026-11).
_HEADING = re.compile(r"^(Diagnostics|Policies|Outputs|Resources|Duration):")
_FAULTS = ("Diagnostics", "Policies")


class EngineError(OnpremError):
    """The Pulumi engine refused or failed; the message holds its diagnostics."""


def engine_environment(layout: Layout, binaries: Mapping[str, Binary]) -> dict[str, str]:
    """Return the variables with which plain `pulumi` commands work in this checkout.

    Programs are told which Kubernetes provider there is, so that they ask for that one. The engine is kept from
    fetching another by itself: nobody could say for how long, and no committed checksum would vouch for it.
    """
    for folder in (layout.pulumi_home, layout.pulumi_backend):
        folder.mkdir(parents=True, exist_ok=True)
    environment = {
        "KUBECONFIG": str(layout.kubeconfig),
        "PULUMI_HOME": str(layout.pulumi_home),
        "PULUMI_BACKEND_URL": f"file://{layout.pulumi_backend}",
        "PULUMI_SKIP_UPDATE_CHECK": "1",
        "PULUMI_AUTOMATION_API_SKIP_VERSION_CHECK": "1",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
    }
    if "pulumi-kubernetes" in binaries:
        environment[KUBERNETES_PLUGIN] = binaries["pulumi-kubernetes"].version
    if "PULUMI_CONFIG_PASSPHRASE_FILE" not in os.environ:
        environment["PULUMI_CONFIG_PASSPHRASE"] = passphrase(layout)
    return environment


def passphrase(layout: Layout) -> str:
    """Return the passphrase of the local stacks' secrets, made at first use; the environment's own wins.

    Raises `EnvironmentProblem` when it is empty: Pulumi would accept that and encrypt with nothing.
    """
    given = os.environ.get("PULUMI_CONFIG_PASSPHRASE")
    if given is not None:
        if not given.strip():
            raise EnvironmentProblem(
                "PULUMI_CONFIG_PASSPHRASE is set but empty: the developers' keys would be encrypted with nothing. "
                "Give it a value, or unset it and one is made in the state folder."
            )
        return given
    try:
        kept = layout.passphrase_file.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        layout.passphrase_file.parent.mkdir(parents=True, exist_ok=True)
        kept = secrets.token_urlsafe(32)
        descriptor = os.open(layout.passphrase_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(kept + "\n")
    if not kept:
        raise EnvironmentProblem(
            f"{layout.passphrase_file} is empty: put the passphrase back, or delete the file."
        )
    return kept


class Engine:
    """The `pulumi` command line on this checkout's project and local backend."""

    def __init__(self, layout: Layout, binaries: Mapping[str, Binary]) -> None:
        """Use the programs of `embedded.plugins.PROGRAMS`."""
        self._layout = layout
        self._binaries = binaries
        self._pulumi = pulumi = binaries["pulumi"]
        path = os.pathsep.join(
            [str(pulumi.path.parent), sysconfig.get_path("scripts"), os.environ.get("PATH", "")]
        )
        self.environment = {**os.environ, **engine_environment(layout, binaries), "PATH": path}
        self.log = layout.logs / "pulumi.log"

    def stack_exists(self, stack: str) -> bool:
        """Return whether the backend knows the stack."""
        return stack in {entry["name"] for entry in json.loads(self._read("stack", "ls", "--json"))}

    def stacks_with_resources(self) -> tuple[str, ...]:
        """Return the names of the stacks that have resources."""
        return tuple(
            str(entry["name"])
            for entry in json.loads(self._read("stack", "ls", "--json"))
            if entry.get("resourceCount", 0) > 1
        )

    def stacks_in_use(self) -> tuple[str, ...]:
        """Return the names of the stacks that have resources or whose update was killed."""
        return tuple(
            str(entry["name"])
            for entry in json.loads(self._read("stack", "ls", "--json"))
            if entry.get("resourceCount", 0) > 1 or self._locks(entry["name"])
        )

    def ensure_stack(self, file: StackFile) -> None:
        """Create the stack in the local backend when it is new, select it, and check the passphrase."""
        if not self.stack_exists(file.stack):
            self._read("stack", "init", file.stack, "--secrets-provider", "passphrase")
        else:
            self._read("stack", "select", file.stack)

    def ensure_keys(self, file: StackFile, developers: Sequence[str]) -> tuple[str, ...]:
        """Give the model servers and each developer without a key a new random one; return the developers.

        The key goes in by standard input: never in an argument, a log or the output.
        """
        missing = tuple(name for name in developers if name not in file.developers_with_keys)
        for name in missing:
            self._read(
                *(
                    "config",
                    "set",
                    "--secret",
                    "--path",
                    f'{PROJECT}:developerKeys["{name}"]',
                    "--stack",
                    file.stack,
                ),
                stdin=secrets.token_urlsafe(32),
            )
        if not file.has_server_key:
            self._set_secret(file.stack, f"{PROJECT}:serverKey")
        return missing

    def _set_secret(self, stack: str, key: str) -> None:
        self._read(
            *("config", "set", "--secret", "--path", key, "--stack", stack), stdin=secrets.token_urlsafe(32)
        )

    def outputs(self, stack: str) -> dict[str, Any]:
        """Return the stack's outputs; secrets are masked."""
        return dict(json.loads(self._read("stack", "output", "--json", "--stack", stack)))

    def state(self, stack: str) -> dict[str, Any]:
        """Return the stack's exported state, secrets encrypted."""
        return dict(json.loads(self._read("stack", "export", "--stack", stack)))

    def run(
        self,
        *arguments: str,
        project: Path | None = None,
        on_line: Callable[[str], None] | None = None,
    ) -> None:
        """Run an update, preview, refresh or destroy, of the checkout's project unless told otherwise.

        Raises `EngineError` with the engine's diagnostics.
        """
        seen: list[str] = []

        def hear(line: str) -> None:
            seen.append(line)
            if on_line is not None:
                on_line(line)

        code = run_logged(
            [self._pulumi.path, *arguments, "--non-interactive", "--color", "never"],
            cwd=project or self._layout.checkout,
            env=self.environment,
            log=self.log,
            on_line=hear,
        )
        if code < 0:
            raise EngineError(
                f"pulumi {arguments[0]} was killed by signal {-code}; the next './dev up' mends what it left. "
                f"The whole story is in {self.log}"
            )
        if code != 0:
            raise EngineError(
                f"pulumi {arguments[0]} failed.\n{diagnostics(seen)}\nThe whole story is in {self.log}"
            )

    def recover(self, stack: str, client: KubeWriter) -> tuple[str, ...]:
        """Mend what a killed engine left: its lock and its unfinished creates. Return what was done, as sentences.

        An object that a pending create did make is imported, so that the next update neither loses nor
        duplicates it; the others are dropped from the state.
        """
        done: list[str] = []
        if self._locks(stack):
            self._read("cancel", "--yes", stack)
            done.append("removed the lock of an update that was killed")
        begun = self._pending(stack)
        made = [entry for entry in begun if entry.name and exists(client, entry)]
        for entry in made:
            disown(client, entry)
        done += self.use_present_provider(stack)
        state = self.state(stack)
        if pending_creates(state):
            done += self._settle(stack, made, begun)
            state = self.state(stack)
        if left := unfinished(state):
            self._import(stack, state)
            done.append(f"dropped {len(left)} steps that were cut off and make nothing in the cluster")
        return tuple(done)

    def use_present_provider(self, stack: str) -> tuple[str, ...]:
        """Let the stack go on with the Kubernetes provider that there is; return what was done, as sentences.

        An import drops unfinished creates; the provider takes over what such a create has made.
        """
        plugins = self._layout.pulumi_home / "plugins"
        state, done = continued(
            self.state(stack),
            self._binaries["pulumi-kubernetes"].version,
            lambda version: (plugins / f"resource-kubernetes-v{version}").is_dir(),
        )
        if done:
            self._import(stack, state)
        return done

    def _import(self, stack: str, state: dict[str, Any]) -> None:
        """Let the stack have that state; what it had begun is dropped with it."""
        self._read("stack", "import", "--stack", stack, stdin=json.dumps(state))

    def _locks(self, stack: str) -> list[Path]:
        folder = self._layout.pulumi_backend / ".pulumi" / "locks" / "organization" / PROJECT / stack
        return list(folder.glob("*.json"))

    def _settle(self, stack: str, made: Sequence[Pending], pending: Sequence[Pending]) -> list[str]:
        if made:
            pairs = [
                flag for entry in made for value in (entry.urn, entry.id) for flag in (_IMPORT_PENDING, value)
            ]
            self.run("refresh", "--yes", "--skip-preview", "--stack", stack, *pairs)
        if len(made) < len(pending):
            self.run("refresh", "--yes", "--skip-preview", "--stack", stack, "--clear-pending-creates")
        return [
            f"{'took over' if entry in made else 'dropped'} {entry.kind} {entry.id}, whose creation was cut off"
            for entry in pending
        ]

    def _pending(self, stack: str) -> tuple[Pending, ...]:
        return pending_creates(self.state(stack))

    def _read(self, *arguments: str, stdin: str | None = None) -> str:
        try:
            done = subprocess.run(
                [self._pulumi.path, *arguments, "--non-interactive", "--color", "never"],
                cwd=self._layout.checkout,
                env=self.environment,
                input=stdin if stdin is not None else "",
                capture_output=True,
                text=True,
                timeout=_CLI_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise EngineError(f"pulumi {arguments[0]} gave no answer within {_CLI_SECONDS} s.") from None
        if done.returncode != 0:
            raise EngineError(_explain(arguments, done.stderr.strip() or done.stdout.strip()))
        return done.stdout


def diagnostics(lines: Sequence[str]) -> str:
    """Return the part of the engine's display that says what went wrong: diagnostics and policies.

    The outputs, which the display tells between them and its closing count, may be hundreds of lines.
    """
    told, section = [], None
    for line in lines:
        heading = _HEADING.match(line)
        section = heading[1] if heading else section
        if section in _FAULTS:
            told.append(line)
    relevant = told or lines[-30:]
    return "\n".join(line for line in relevant if not _NOISE.match(line)).strip()


def _explain(arguments: Sequence[str], text: str) -> str:
    if "incorrect passphrase" in text:
        return (
            "the secrets in the stack file were encrypted with another passphrase than this checkout's. "
            "Set PULUMI_CONFIG_PASSPHRASE to the one that was used, or delete the lines 'encryptionsalt' and "
            f"'{PROJECT}:developerKeys' from the stack file: new keys are made at the next './dev up'."
        )
    return f"pulumi {' '.join(arguments[:2])} failed: {text}"
