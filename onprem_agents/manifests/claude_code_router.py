"""claude-code-router as a server for Claude Code alone: Anthropic's API in, chat completions out.

Version 2.0.0 (run 2026-11 from its package; the image was not run): it reads one file, which may be read-only, and
keeps nothing. 3.1.1 takes the same file into a database of its own, with the keys in clear, and runs a web interface
beside the gateway, which makes it no server for a fleet. 2.0.0 drops messages of the role "system" in
mid-conversation; the connection contract therefore tells Claude Code not to send any.
"""

from __future__ import annotations

import json

from onprem_agents.agents.ccr import NO_TAKEOVER, provider
from onprem_agents.manifests.endpoints import CHAT, server_url
from onprem_agents.manifests.meta import Manifest
from onprem_agents.manifests.proxy_software import NO_KEY, ProxySoftware, server_key_name
from onprem_agents.plan import PROXY_IMAGES, ProxyPart
from onprem_agents.plan.references import role_name
from onprem_agents.stack.parts import ServerReference

_PORT = 3456
_HOME = "/tmp"  # noqa: S108  the pod's own emptyDir
_CONFIG = "config.json"
_ROUTER = "router.js"
_FOLDER = "/etc/onprem/claude-code-router"

# Its router knows "provider,model" names only; agents send the role's bare name.
_ROUTER_SCRIPT = """\
const providers = @PROVIDERS@;

module.exports = async function route(request) {
  const model = request.body.model;
  return Object.hasOwn(providers, model) ? `${providers[model]},${model}` : null;
};
"""


def router_config(part: ProxyPart) -> Manifest:
    """Return claude-code-router's configuration; keys are named by environment variable only."""
    return {
        "HOST": "0.0.0.0",  # noqa: S104  it listens beyond loopback only together with APIKEY
        "PORT": _PORT,
        "APIKEY": "$CCR_API_KEY",
        "LOG": False,
        "NON_INTERACTIVE_MODE": True,
        "API_TIMEOUT_MS": 1000 * part.timeouts.predictor_seconds,
        "CUSTOM_ROUTER_PATH": f"{_FOLDER}/{_ROUTER}",
        "Providers": [_provider(part, server) for server in part.servers],
        "Router": {
            "default": _route(part.servers[0]),
            "background": _route(part.servers[-1]),
        },
        **NO_TAKEOVER,
    }


def _provider(part: ProxyPart, server: ServerReference) -> Manifest:
    key = server_key_name(part, server)
    return provider(
        role_name(server),
        url=f"{server_url(server)}{CHAT}",
        key=NO_KEY if key is None else f"${key}",
        model=server.name,
        output_tokens=server.max_output_tokens,
        thinking=server.thinking,
    )


def _route(server: ServerReference) -> str:
    return f"{role_name(server)},{server.name}"


def _files(part: ProxyPart) -> dict[str, str]:
    providers = {server.name: role_name(server) for server in part.servers}
    return {
        _CONFIG: json.dumps(router_config(part), indent=2) + "\n",
        _ROUTER: _ROUTER_SCRIPT.replace("@PROVIDERS@", json.dumps(providers)),
    }


CLAUDE_CODE_ROUTER = ProxySoftware(
    image=PROXY_IMAGES["claude-code-router"],
    port=_PORT,
    args=(),
    health_path="/health",
    key_env="CCR_API_KEY",
    environment={"HOME": _HOME, "DO_NOT_TRACK": "1"},
    mounts={_CONFIG: f"{_HOME}/.claude-code-router/config.json", _ROUTER: f"{_FOLDER}/{_ROUTER}"},
    files=_files,
)
