"""The embedded cluster as a whole: started, repaired, looked at and stopped."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from embedded.cluster import control_plane, crds, envoy_gateway, kserve, nodes
from embedded.cluster.certificates import Pki
from embedded.cluster.nodes import NodeSpec
from embedded.cluster.site import Site
from embedded.kube import KubeWriter
from embedded.layout import Layout
from embedded.ports import Ports
from embedded.process import Member, Process
from embedded.progress import Progress
from embedded.toolchain import Binary, Origin, module_dir
from onprem_agents.errors import ClusterError, EnvironmentProblem

# In the order in which they start; the inner lists may start, and are stopped, at once.
_ORDER = (
    ("etcd",),
    ("kube-apiserver",),
    ("kube-controller-manager", "kube-scheduler", "kwok"),
    (kserve.NAME, envoy_gateway.NAME),
)
_NAMES = tuple(name for names in _ORDER for name in names)
BINARIES = (*_NAMES, "envoy")
_PORTS = {
    **control_plane.PORTS,
    kserve.NAME: kserve.PORTS,
    envoy_gateway.NAME: (*envoy_gateway.PORTS, envoy_gateway.ADMIN_PORT, envoy_gateway.INGRESS_PORT),
}
_GRACE_SECONDS = 10.0
_INTERRUPTED_GRACE_SECONDS = 3.0


@dataclass(frozen=True, kw_only=True)
class ClusterNeeds:
    """What a stack wants to find: groups of definitions (`crds.SOURCES`) and simulated GPU nodes.

    `kserve` and `envoy-gateway` bring their controllers along with their definitions.
    """

    crds: frozenset[str]
    nodes: tuple[NodeSpec, ...] = ()

    def __post_init__(self) -> None:
        if "envoy-gateway" in self.crds and "gateway-api" not in self.crds:
            raise EnvironmentProblem("Envoy Gateway works on the Gateway API: add `gateway-api` to the needs")


@dataclass(frozen=True, kw_only=True)
class Part:
    """One running program of the cluster; `resident_mib` is its own memory."""

    name: str
    version: str
    origin: Origin
    pid: int
    resident_mib: float


class Cluster:
    """One cluster in one state folder. Looking and stopping need no binaries."""

    def __init__(
        self,
        layout: Layout,
        binaries: Mapping[str, Binary] | None = None,
        ports: Ports | None = None,
        *,
        module: Callable[[str], Path] | None = None,
    ) -> None:
        self._layout = layout
        self._binaries = dict(binaries or {})
        self.ports = ports or Ports(layout.ports_file)
        self._module = module or partial(module_dir, layout)

    @property
    def kubeconfig(self) -> Path:
        return self._layout.kubeconfig

    def client(self) -> KubeWriter:
        """Return an administrator's client."""
        return KubeWriter.from_kubeconfig(self.kubeconfig)

    def start(self, needs: ClusterNeeds, progress: Progress) -> None:
        """Bring the cluster up to `needs`: start what does not run, repair what died, keep the rest.

        A failure or Ctrl-C stops what this call started. Raises EnvironmentProblem or ClusterError.
        """
        missing = sorted(set(BINARIES) - set(self._binaries))
        if missing:
            raise EnvironmentProblem(f"the cluster cannot start without {', '.join(missing)}")
        try:
            self._start_twice(needs, progress)
        except OSError as error:
            raise EnvironmentProblem(
                f"the cluster's files in {self._layout.state} cannot be written: {error}; "
                "make room or mend the permissions, or name another folder in ONPREM_STATE"
            ) from error

    def stop(self, progress: Progress) -> None:
        """End every process of this cluster and what these started; its data stays for the next start."""
        running = [name for name in _NAMES if self._known(name).was_started() or self._known(name).members()]
        if not running:
            return
        with progress.step("Stopping the cluster", log=self._layout.logs):
            for names in reversed(_ORDER):
                with ThreadPoolExecutor(max_workers=len(names)) as pool:
                    list(pool.map(lambda name: self._known(name).stop(_GRACE_SECONDS), names))

    def parts(self) -> list[Part]:
        """Return what runs, Envoy included."""
        notes = self._noted_parts()
        found = []
        for name in _NAMES:
            process = self._known(name)
            pid = process.pid()
            for member in process.members():
                part = name if member.pid == pid else member.program
                if part in notes:
                    version, origin = notes[part]
                    found.append(
                        Part(
                            name=part,
                            version=version,
                            origin=origin,
                            pid=member.pid,
                            resident_mib=member.resident_mib,
                        )
                    )
        return found

    def dead(self) -> list[str]:
        """Return the names of processes that should run and do not."""
        return [name for name in _NAMES if self._known(name).was_started() and not self._known(name).alive()]

    def _start_twice(self, needs: ClusterNeeds, progress: Progress) -> None:
        """Start, and start again when a process that ran at the beginning died meanwhile."""
        try:
            self._start(needs, progress)
        except (EnvironmentProblem, ClusterError):
            if not self.dead():
                raise
        if self.dead():
            self._start(needs, progress)

    def _start(self, needs: ClusterNeeds, progress: Progress) -> None:
        self.ports.reload()
        self._clear_leftovers(progress)
        site = Site(
            layout=self._layout,
            binaries=self._binaries,
            ports=self.ports,
            pki=Pki(self._layout.cluster / "pki"),
            module=self._module,
        )
        self._note_parts()
        with _undone_on_failure() as started:
            run = partial(self._ensure, progress=progress, started=started)
            self._start_control_plane(site, progress, run)
            with self.client() as client:
                self._start_nodes(site, client, needs, progress, run)
                self._start_controllers(site, client, needs, progress, run)

    def _start_control_plane(self, site: Site, progress: Progress, run: Callable[[Process], bool]) -> None:
        with progress.step("Kubernetes API server", log=self._log("kube-apiserver")):
            control_plane.write_credentials(site)
            etcd = control_plane.etcd(site)
            run(etcd)
            control_plane.wait_for_etcd(site, etcd)
            server = control_plane.api_server(site)
            run(server)
            with self.client() as client:
                control_plane.wait_for_api_server(server, client)

    def _start_nodes(
        self,
        site: Site,
        client: KubeWriter,
        needs: ClusterNeeds,
        progress: Progress,
        run: Callable[[Process], bool],
    ) -> None:
        scheduler, kwok = control_plane.scheduler(site), control_plane.kwok(site)
        for process in (scheduler, kwok):
            run(process)
        log = self._log("kube-apiserver")
        with progress.step("Definitions of the stack's objects", log=log) as step:
            installed = crds.ensure(client, needs.crds, self._module, step.update)
            step.update(f"{installed} installed")
        manager = control_plane.controller_manager(site, needs.crds)
        run(manager)
        with progress.step("Simulated nodes", log=self._log("kwok")) as step:
            changed = nodes.ensure(client, needs.nodes)
            control_plane.wait_for_controllers(client, manager)
            nodes.wait_ready(client, kwok)
            control_plane.install_storage_class(client, site)
            step.update(f"{len(changed)} changed")

    def _start_controllers(
        self,
        site: Site,
        client: KubeWriter,
        needs: ClusterNeeds,
        progress: Progress,
        run: Callable[[Process], bool],
    ) -> None:
        with_kserve, with_gateway = "kserve" in needs.crds, "envoy-gateway" in needs.crds
        if with_kserve:
            kserve.write_credentials(site)
            kserve.install(client, site, needs.crds)
            controller = kserve.process(site, needs.crds)
            run(controller)
        if with_gateway:
            envoy_gateway.write_files(site)
            envoy_gateway.install(client, site, with_kserve=with_kserve)
            gateway = envoy_gateway.process(site)
            run(gateway)
        if with_kserve:
            with progress.step("KServe", log=self._log(kserve.NAME)):
                kserve.wait_ready(site, controller)
                kserve.register_webhooks(client, site)
        if with_gateway:
            with progress.step("Envoy Gateway", log=self._log(envoy_gateway.NAME)):
                envoy_gateway.wait_ready(site, gateway)
                if with_kserve:
                    envoy_gateway.wait_programmed(client, site, gateway)

    def _ensure(self, process: Process, *, progress: Progress, started: list[Process]) -> bool:
        """Start the process unless it runs as wanted; return whether it was started."""
        if process.as_wanted():
            return False
        if process.alive():
            progress.note(f"{process.name} is restarted: its settings changed")
        process.stop(_GRACE_SECONDS)
        started.append(process)
        process.start()
        return True

    def _clear_leftovers(self, progress: Progress) -> None:
        """Say what died, end what the dead left running, and give up ports that others took since."""
        for name in _NAMES:
            process = self._known(name)
            members = process.members()
            if name == envoy_gateway.NAME and process.alive() and not _has_envoy(members):
                progress.note("repaired: Envoy had died; its controller starts anew with it")
                process.stop(_GRACE_SECONDS)
            elif not process.alive():
                if process.was_started():
                    progress.note(f"repaired: {name} had died; it starts anew (log: {process.log})")
                process.stop(_GRACE_SECONDS)
            if not process.alive():
                for note in self.ports.replace_taken(_PORTS.get(name, ())):
                    progress.note(note)

    def _known(self, name: str) -> Process:
        return Process(
            name=name,
            argv=(),
            pid_file=self._layout.cluster / "run" / f"{name}.pid",
            log=self._log(name),
        )

    def _log(self, name: str) -> Path:
        return self._layout.logs / f"{name}.log"

    @property
    def _parts_file(self) -> Path:
        return self._layout.cluster / "parts.json"

    def _note_parts(self) -> None:
        parts = {name: [binary.version, binary.origin] for name, binary in self._binaries.items()}
        self._parts_file.write_text(json.dumps(parts), encoding="utf-8")

    def _noted_parts(self) -> dict[str, tuple[str, Origin]]:
        try:
            noted = json.loads(self._parts_file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return {name: (version, origin) for name, (version, origin) in noted.items()}


def _has_envoy(members: list[Member]) -> bool:
    return any(member.program == "envoy" for member in members)


@contextmanager
def _undone_on_failure() -> Iterator[list[Process]]:
    """Stop, in reverse, the processes put into the list when the block fails or is interrupted."""
    started: list[Process] = []
    try:
        yield started
    except BaseException:
        for process in reversed(started):
            process.stop(_INTERRUPTED_GRACE_SECONDS)
        raise
