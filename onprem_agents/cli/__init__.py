"""`onprem-agents`: the one command of platform engineers and developers; the only place that prints or exits."""

from onprem_agents.cli.main import main

__all__ = ["main"]
