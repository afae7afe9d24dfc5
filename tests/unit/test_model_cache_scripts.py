"""The scripts that fill a volume and wait for it, run by a real shell, against a download that is none."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from onprem_agents.manifests import Manifest
from onprem_agents.plan import PlatformPlan
from tests.unit.test_model_cache import CLAIM, FOLDER, cached, claim_of, job, predictor

DOWNLOAD = "/storage-initializer/scripts/initializer-entrypoint"


class Volume:
    """A volume in a folder, with a program in the place of KServe's that says how often it ran."""

    def __init__(self, folder: Path) -> None:
        self.root, self.runs, self.log = folder / "volume", folder / "runs", folder / "log"
        self.root.mkdir()
        self.program = folder / "download"
        self.say("echo weights > $2/model.safetensors")

    def say(self, what: str) -> None:
        self.program.write_text(f'#!/bin/sh\nset -eu\nmkdir -p "$2"\necho "$1" >> {self.runs}\n{what}\n')
        self.program.chmod(0o755)

    def start(self, container: Manifest) -> subprocess.Popen[bytes]:
        """Run what the container runs; the log is this volume's, and nobody sleeps for long."""
        script = (
            container["command"][2].replace(DOWNLOAD, str(self.program)).replace("sleep 10", "sleep 0.05")
        )
        arguments = [str(each).replace("/mnt/cache", str(self.root)) for each in container["args"]]
        with self.log.open("a") as log:
            return subprocess.Popen(["sh", "-c", script, "load", *arguments], stdout=log)

    def downloads(self) -> int:
        return len(self.runs.read_text().splitlines()) if self.runs.exists() else 0


@pytest.fixture
def volume(tmp_path: Path) -> Volume:
    return Volume(tmp_path)


def loader(plan: PlatformPlan) -> Manifest:
    found: Manifest = job(plan)["spec"]["template"]["spec"]["containers"][0]
    return found


def test_a_job_that_runs_again_downloads_nothing(volume: Volume) -> None:
    plan = cached(CLAIM)

    assert volume.start(loader(plan)).wait() == 0
    assert volume.start(loader(plan)).wait() == 0

    assert volume.downloads() == 1
    assert (volume.root / "weights" / "model.safetensors").read_text() == "weights\n"
    assert (volume.root / "compiled").is_dir()


def test_weights_that_are_not_whole_are_never_seen_and_the_download_goes_on(volume: Volume) -> None:
    plan = cached(CLAIM)
    volume.say('echo half > "$2/part"; exit 1')
    assert volume.start(loader(plan)).wait() == 1
    assert not (volume.root / "weights").exists()

    volume.say('cat "$2/part" > "$2/model.safetensors"')
    assert volume.start(loader(plan)).wait() == 0

    assert (volume.root / "weights" / "model.safetensors").read_text() == "half\n"


def test_a_server_waits_until_the_weights_are_whole(volume: Volume) -> None:
    plan = cached(CLAIM)
    (waiting,) = predictor(plan)["initContainers"]
    process = volume.start(waiting)
    eventually(lambda: claim_of(plan).name in volume.log.read_text(), "it says for which Job it waits")
    assert process.poll() is None

    assert volume.start(loader(plan)).wait() == 0

    assert process.wait(timeout=20) == 0


def eventually(check: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 20
    while not check():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def test_pods_of_one_node_download_once_however_many_start(volume: Volume) -> None:
    plan = cached(FOLDER)
    (container,) = predictor(plan)["initContainers"]
    volume.say('sleep 0.3; echo weights > "$2/model.safetensors"')
    pods = [volume.start(container) for _ in range(4)]

    assert [pod.wait(timeout=30) for pod in pods] == [0, 0, 0, 0]
    assert volume.downloads() == 1
