"""claude-code-router as a server for Claude Code alone: Anthropic's API in, chat completions out.

Version 2.0.0 (run 2026-11 from its package; the image was not run). Later versions rewrite the user's own
client settings at start. It drops messages of the role "system" in mid-conversation; the connection contract
therefore tells Claude Code not to send any.
"""

from __future__ import annotations

import json

from onprem_agents.manifests.endpoints import CHAT, predictor_url
from onprem_agents.manifests.meta import Manifest
from onprem_agents.manifests.proxy_software import ProxySoftware
from onprem_agents.plan import PlatformPlan, ServingPlan

_IMAGE = "musistudio/claude-code-router:2.0.0"
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


def router_config(plan: PlatformPlan) -> Manifest:
    """Return claude-code-router's configuration; keys are named by environment variable only."""
    return {
        "HOST": "0.0.0.0",  # noqa: S104  it listens beyond loopback only together with APIKEY
        "PORT": _PORT,
        "APIKEY": "$CCR_API_KEY",
        "LOG": False,
        "NON_INTERACTIVE_MODE": True,
        "API_TIMEOUT_MS": 1000 * plan.timeouts.predictor_seconds,
        "CUSTOM_ROUTER_PATH": f"{_FOLDER}/{_ROUTER}",
        "Providers": [_provider(plan, serving) for serving in plan.serving],
        "Router": {
            "default": _route(plan.main),
            "background": _route(plan.small),
        },
    }


def _provider(plan: PlatformPlan, serving: ServingPlan) -> Manifest:
    return {
        "name": serving.role,
        "api_base_url": f"{predictor_url(plan, serving)}{CHAT}",
        "api_key": "$VLLM_API_KEY",
        "models": [serving.name],
        "transformer": {"use": [["maxtoken", {"max_tokens": serving.max_output_tokens}]]},
    }


def _route(serving: ServingPlan) -> str:
    return f"{serving.role},{serving.name}"


def _files(plan: PlatformPlan) -> dict[str, str]:
    providers = {serving.name: serving.role for serving in plan.serving}
    return {
        _CONFIG: json.dumps(router_config(plan), indent=2) + "\n",
        _ROUTER: _ROUTER_SCRIPT.replace("@PROVIDERS@", json.dumps(providers)),
    }


CLAUDE_CODE_ROUTER = ProxySoftware(
    image=_IMAGE,
    port=_PORT,
    args=(),
    health_path="/health",
    key_env="CCR_API_KEY",
    environment={"HOME": _HOME, "DO_NOT_TRACK": "1"},
    mounts={_CONFIG: f"{_HOME}/.claude-code-router/config.json", _ROUTER: f"{_FOLDER}/{_ROUTER}"},
    files=_files,
)
