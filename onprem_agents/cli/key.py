"""`onprem-agents key`: the developer's own key, for agents that read it by a command."""

from __future__ import annotations

import os
from pathlib import Path

import click

from onprem_agents.agents.machine import Machine
from onprem_agents.errors import EnvironmentProblem
from onprem_agents.setup import key_store


@click.command()
@click.option("--forget", is_flag=True, help="Take the key out of the system's keyring instead.")
def key(forget: bool) -> None:
    """Print your key from where setup put it: its file, the system's keyring, or your own command.

    Agents run this to read the key. What it prints is a secret.
    """
    machine = Machine(home=Path.home(), project=Path.cwd(), variables=dict(os.environ))
    store = key_store.kept(machine)
    if forget:
        store.forget()
        click.echo(f"{store.title} holds no key of {store.name or 'this machine'} any more.", err=True)
        return
    found = store.read(machine)
    if found is None:
        raise EnvironmentProblem(f"there is no key in {store.title}; run onprem-agents setup --key-file FILE")
    click.echo(found.value)
