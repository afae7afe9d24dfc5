"""`onprem-agents bench`: the load of coding agents on an endpoint, and what it does to their times."""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import os
import signal
import ssl
import sys
from collections.abc import Callable
from pathlib import Path

import click
import httpx

from onprem_agents.agents.machine import Machine
from onprem_agents.cli.bench_source import Endpoint, endpoint
from onprem_agents.cli.bench_told import as_json as values
from onprem_agents.cli.bench_view import Progress, show
from onprem_agents.cli.contract_source import ca_file_option, connection_option, host_option
from onprem_agents.cli.options import json_option, stacks_option
from onprem_agents.cli.pages.bench import page
from onprem_agents.cli.pages.place import check_place
from onprem_agents.errors import EnvironmentProblem, InvalidInput, Problem
from onprem_agents.files import write_file
from onprem_agents.probes.bench.bounds import all_within, bounds
from onprem_agents.probes.bench.calibrate import calibrate
from onprem_agents.probes.bench.call import Caller
from onprem_agents.probes.bench.figures import figures
from onprem_agents.probes.bench.load import Load, Run, run
from onprem_agents.probes.bench.profile import SHIPPED, Profile, read_profile
from onprem_agents.probes.discovery import trusting

_CONNECT_SECONDS = 30.0
# Of the window's use before compaction, against what all sessions begin with.
_LEAST_ROOM = 1.5


@click.command()
@host_option
@connection_option
@click.option(
    "--stack", metavar="STACK", help="Take contract and plan from this stack's file, and compare with both."
)
@stacks_option
@click.option(
    "--base-url",
    metavar="URL",
    help="Address of the API, ending at /v1; alone it needs --model and --context.",
)
@click.option("--model", metavar="NAME", help="Model name as served.")
@click.option("--role", metavar="NAME", help="Role of the contract to ask.  [default: the main one]")
@click.option("--context", type=click.IntRange(min=4096), help="Window in tokens, where it is to be smaller.")
@ca_file_option
@click.option("--key-file", type=click.Path(path_type=Path), help="File that holds the key.")
@click.option(
    "--sessions",
    type=click.IntRange(1, 2000),
    default=8,
    show_default=True,
    help="Sessions at once.",
)
@click.option(
    "--minutes",
    type=click.FloatRange(min=0.02, max=1440),
    default=5.0,
    show_default=True,
    help="How long new rounds begin.",
)
@click.option(
    "--pauses",
    type=click.FloatRange(min=0, max=100),
    default=1.0,
    show_default=True,
    help="Factor on the pauses for tools and people.",
)
@click.option(
    "--profile", type=click.Path(path_type=Path), help="What sessions are like, instead of the shipped one."
)
@click.option("--seed", type=int, default=1, show_default=True, help="The same number, the same sessions.")
@click.option(
    "--own-length",
    is_flag=True,
    help="Let the model end its answers: for servers that refuse vLLM's ignore_eos.",
)
@click.option(
    "--timeout", type=click.FloatRange(min=1, max=7200), help="Seconds a round.  [default: the contract's]"
)
@click.option(
    "--html", type=click.Path(path_type=Path), help="Write the report with plots there, as one file."
)
@json_option
def bench(  # noqa: PLR0913, PLR0917 - one parameter for each option
    host: str | None,
    connection: str | None,
    stack: str | None,
    folder: Path,
    base_url: str | None,
    model: str | None,
    role: str | None,
    context: int | None,
    ca_file: Path | None,
    key_file: Path | None,
    sessions: int,
    minutes: float,
    pauses: float,
    profile: Path | None,
    seed: int,
    own_length: bool,
    timeout: float | None,
    html: Path | None,
    as_json: bool,
) -> None:
    """Put N sessions of coding agents on an endpoint and measure what they feel.

    Their prompts grow round by round, tools and people pause in between, as recorded sessions do. Measured are the
    time to the first token, from token to token, tokens a second, the prefix cache and failures, and compared with
    what contract and plan promise. Ctrl-C ends it with what was measured. Exit code: 0 within all bounds, 1 not.
    """
    machine = Machine(home=Path.home(), project=Path.cwd(), root=Path("/"), variables=dict(os.environ))
    used = read_profile(profile or SHIPPED)
    check_place(html)
    found = endpoint(
        machine,
        host=host,
        connection=connection,
        stack=stack,
        folder=folder,
        base_url=base_url,
        model=model,
        role=role,
        context=context,
        ca_file=ca_file,
        key_file=key_file,
        timeout=timeout,
    )
    _check_room(found.limits.compact_at_tokens, used)
    trust = trusting(found.ca_file)
    wanted = _Wanted(used, sessions=sessions, minutes=minutes, pauses=pauses, seed=seed)
    progress = Progress(minutes * 60)
    with progress, asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        done = runner.run(_measured(found, trust, wanted, progress, exact=not own_length))
    if done is None:
        raise EnvironmentProblem("stopped before anything was measured; let it run longer")
    measured = figures(done)
    judged = bounds(done, measured, found.promised)
    told = {"url": found.target.base_url, "model": found.target.model}
    if html is not None:
        text = page(done, measured, judged, **told)
        try:
            write_file(html, text.encode(), 0o644)
        except OSError as error:
            click.echo(f"the report cannot be written to {html}: {error.strerror}", err=True)
    if as_json:
        click.echo(json.dumps(values(done, measured, judged, **told), indent=2))
    else:
        show(done, measured, judged, **told)
        if html is not None and html.exists():
            click.echo(f"Report: {html}")
    sys.exit(0 if all_within(judged) else 1)


class _Wanted:
    """The load that the options ask for, but for what only the endpoint tells."""

    def __init__(self, profile: Profile, *, sessions: int, minutes: float, pauses: float, seed: int) -> None:
        self.profile, self.sessions, self.seconds = profile, sessions, minutes * 60
        self.pauses, self.seed = pauses, seed


async def _measured(
    found: Endpoint, trust: ssl.SSLContext, wanted: _Wanted, progress: Progress, *, exact: bool
) -> Run | None:
    """Count the server's tokens, then run the load; None when it was stopped before that."""
    _end_on_sigterm()
    timeout = httpx.Timeout(found.target.timeout_seconds, connect=_CONNECT_SECONDS, pool=None)
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    async with httpx.AsyncClient(verify=trust, timeout=timeout, limits=limits) as http:
        caller = Caller(target=found.target, http=http, exact=exact)
        progress.say(f"Asking {found.target.base_url} for {found.target.model} …")
        try:
            words = await calibrate(caller)
        except asyncio.CancelledError:
            return None
        load = Load(
            profile=wanted.profile,
            sessions=wanted.sessions,
            seconds=wanted.seconds,
            limits=found.limits,
            words=words,
            pauses=wanted.pauses,
            seed=wanted.seed,
        )
        return await run(caller, load, progress.watch)


def _end_on_sigterm() -> None:
    """Let SIGTERM, as a pod gets it, end the run as Ctrl-C does; where there are no such signals it stays as it is."""
    task = asyncio.current_task()
    cancel: Callable[[], object] = task.cancel if task is not None else lambda: None
    with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, cancel)


def _check_room(compact_at_tokens: int, profile: Profile) -> None:
    """Refuse a window in which a session could do nothing but compact. Raises `InvalidInput`."""
    least = int(_LEAST_ROOM * profile.shared_tokens)
    if compact_at_tokens >= least:
        return
    problem = Problem(
        where="--context",
        cause="does-not-fit",
        found=f"a window in which an agent compacts at {compact_at_tokens:,} tokens",
        why=f"each session of {profile.name} begins with {profile.shared_tokens:,} tokens and could hardly grow",
        fix=f"a window of {math.ceil(least / 0.8 / 1024) * 1024} at least, or a --profile with less sharedTokens",
    )
    raise InvalidInput("bench", [problem])
