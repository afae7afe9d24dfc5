"""Imported before the other modules: what Pulumi programs need is installed, or the extra is named that brings it."""

from importlib.util import find_spec

from onprem_agents.errors import needs_platform

# `pulumi_kubernetes` is not imported, but its version is the plugin's.
for _package in ("pulumi", "pulumi_kubernetes"):
    if find_spec(_package) is None:
        raise ModuleNotFoundError(needs_platform("a component", _package), name=_package)
