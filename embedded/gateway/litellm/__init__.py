"""LiteLLM run on this machine from its Python package, as the stack declares it for the cluster."""

from embedded.gateway.litellm.package import install
from embedded.gateway.litellm.proxy import NAME, address, process, start

__all__ = ["NAME", "address", "install", "process", "start"]
