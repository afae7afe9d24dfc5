"""LiteLLM run on this machine from its Python package, as the stack declares it for the cluster."""

from embedded.gateway.litellm.package import VERSION, install
from embedded.gateway.litellm.proxy import NAME, address, declared_process, process, start

__all__ = ["NAME", "VERSION", "address", "declared_process", "install", "process", "start"]
