"""How the contract's readers treat text from outside; the checks themselves stand below the settings' types."""

from onprem_agents.stack.untrusted import is_loopback, looks_like_key, shown

__all__ = ["is_loopback", "looks_like_key", "shown"]
