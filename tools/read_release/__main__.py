"""`python -m tools.read_release VERSION`: the folder of one vLLM release, read from its wheel."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from onprem_agents.errors import EnvironmentProblem
from tools.read_release import parser, registries
from tools.read_release.folder import write_folder
from tools.read_release.options import options_of
from tools.read_release.wheel import download, templates_in, unpack

_RELEASES = Path(__file__).parents[2] / "onprem_agents" / "vllm" / "releases"


@click.command()
@click.argument("version")
@click.option(
    "--wheel", type=click.Path(path_type=Path, exists=True), help="A wheel at hand; else pip downloads it."
)
@click.option(
    "--source",
    type=click.Path(path_type=Path, exists=True),
    help="The release's source archive (vllm-VERSION.tar.gz) or an unpacked tree: the image's chat templates stand "
    "there, not in the wheel. Without it they are taken over from the nearest release.",
)
@click.option(
    "--into",
    type=click.Path(path_type=Path),
    default=_RELEASES,
    help="Where VERSION/ is made.",
    show_default=False,
)
def main(version: str, wheel: Path | None, source: Path | None, into: Path) -> None:
    """Make the folder of one vLLM release, such as 0.33.0, from its wheel.

    No GPU, no torch and no vLLM has to be installed: the wheel (a few hundred MB, deleted afterwards) is unpacked, its
    own option parser is built with stand-ins for what is missing, its registries and routes are read as text.

    Writes options.json and image.json; memory.json only where there is none, taken over from the nearest release,
    because no wheel tells those rules: compare a start-up log of the release with `./dev bench sizing`.
    """
    try:
        written = read_release(version, wheel=wheel, source=source, into=into)
    except (EnvironmentProblem, LookupError) as error:
        raise click.ClickException(str(error)) from None
    for file in written:
        click.echo(file)


def read_release(version: str, *, wheel: Path | None, source: Path | None, into: Path) -> list[Path]:
    """Read one release and return the files written. Raises EnvironmentProblem, LookupError where vLLM changed."""
    with tempfile.TemporaryDirectory(prefix="read-release-") as scratch:
        unpacked = Path(scratch, "unpacked")
        told = unpack(wheel or download(version, Path(scratch)), unpacked)
        if told != version:
            raise EnvironmentProblem(f"{wheel} is the wheel of vLLM {told}, not of {version}")
        content = {
            **options_of(_actions(unpacked)),
            "tool_parsers": sorted(registries.tool_parsers(unpacked)),
            "reasoning_parsers": sorted(registries.reasoning_parsers(unpacked)),
            "quantization_methods": sorted(registries.quantization_methods(unpacked)),
            "endpoints": sorted(registries.endpoints(unpacked)),
        }
        cuda = registries.main_cuda(unpacked)
    templates = None if source is None else templates_in(source)
    today = datetime.now(UTC).date()
    return write_folder(into / version, version, content, templates, cuda=cuda, read=today)


def _actions(unpacked: Path) -> list[dict[str, Any]]:
    """Build the wheel's option parser in a process of its own: its imports would mix with ours."""
    argv = [sys.executable, parser.__file__, str(unpacked)]
    result = subprocess.run(argv, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise EnvironmentProblem(f"the option parser of that wheel can't be built:\n{result.stderr.strip()}")
    answer = json.loads(result.stdout.splitlines()[-1])
    for module in answer["stood_in"]:
        click.echo(f"stood in for {module}", err=True)
    actions: list[dict[str, Any]] = answer["actions"]
    return actions


if __name__ == "__main__":
    main()
