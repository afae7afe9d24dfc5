"""The translation proxy of a stack under trial: nothing for native serving, else LiteLLM on this machine."""

from __future__ import annotations

import base64

from embedded.gateway import litellm
from embedded.layout import Layout
from embedded.progress import Progress
from onprem_agents.cluster import KubeClient
from onprem_agents.errors import InvalidInput, Problem
from onprem_agents.plan import PROXY_KEY_SECRET, SERVER_KEY_SECRET, PlatformPlan, plan_stack_file


def prepare(layout: Layout, plan: PlatformPlan, progress: Progress) -> str | None:
    """Bring what the stack's proxy needs and return where it will answer; None for native serving.

    Raises `InvalidInput` for a proxy that only runs in a cluster, `EnvironmentProblem` when the package index
    gives nothing.
    """
    translation = plan.settings.translation
    if translation == "native":
        litellm.process(layout).stop()  # of a trial before the stack file changed
        return None
    if translation != "litellm":
        problem = Problem(
            where="platform.translation",
            cause="not-supported",
            found=translation,
            why="the embedded cluster simulates its pods, and of the proxies only LiteLLM runs beside it",
            fix="try the stack here with 'translation: litellm' or 'translation: native'",
        )
        raise InvalidInput("./dev gateway", [problem])
    litellm.install(layout, progress)
    return litellm.address(layout)


def start(layout: Layout, stack: str, server: str, client: KubeClient, progress: Progress) -> None:
    """Run the proxy of an applied stack, with the keys that the cluster has for it; nothing in native mode.

    `server` is where the models answer.
    """
    plan = plan_stack_file(layout.checkout / "stacks", stack)
    part = plan.proxy_part
    if part is None:
        return
    keys = {
        name: base64.b64decode(client.get("v1", "Secret", name, plan.namespace)["data"]["apiKey"]).decode()
        for name in (PROXY_KEY_SECRET, SERVER_KEY_SECRET)
    }
    litellm.start(layout, plan, part, server, keys, progress)
