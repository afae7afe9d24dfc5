"""Settings and catalogue become one plan, or every problem at once."""

from onprem_agents.plan.derive import plan_stack, servers_of
from onprem_agents.plan.derive_pool import queued_requests
from onprem_agents.plan.images import ENVOY_IMAGE, PROXY_IMAGES, ImageUse, download_image
from onprem_agents.plan.names import (
    AGENTS_ROUTE,
    CONNECTION_ROUTE,
    GATEWAY_NAME,
    MODELS_ROUTE,
    OPENCODE_FILTER,
    PROXY_KEY_SECRET,
    PROXY_NAME,
    PROXY_PORT,
    ROLES_PER_AI_ROUTE,
    SERVER_KEY_SECRET,
)
from onprem_agents.plan.parts import (
    PROXY_KEY,
    AuthPart,
    IngressPart,
    KeySecret,
    OperatorPart,
    PoolPart,
    ProxyPart,
    ProxySoftwareName,
    Queues,
    ServerPart,
)
from onprem_agents.plan.platform import PlatformPlan
from onprem_agents.plan.pod_requests import (
    Amounts,
    container_amounts,
    format_amount,
    pod_requests,
    times,
    total,
)
from onprem_agents.plan.pool import Placement, Pool, place
from onprem_agents.plan.pools import pools_of
from onprem_agents.plan.role import RoleDecision, decide_role
from onprem_agents.plan.rollout import Rollout, choose_rollout
from onprem_agents.plan.scope import Scope
from onprem_agents.plan.serving import (
    CHAT_TEMPLATE_PATH,
    KEEP_ALIVE_PATH,
    MODEL_PATH,
    ModelSource,
    PodResources,
    Probes,
    ServingPlan,
)
from onprem_agents.plan.stack_plan import plan_stack_file, read_and_plan
from onprem_agents.plan.timeouts import (
    GATEWAY_IDLE_SECONDS,
    KEEP_ALIVE_SECONDS,
    PRE_STOP_SECONDS,
    SERVER_IDLE_SECONDS,
    TimeoutChain,
    derive_timeouts,
)

__all__ = [
    "AGENTS_ROUTE",
    "CHAT_TEMPLATE_PATH",
    "CONNECTION_ROUTE",
    "ENVOY_IMAGE",
    "GATEWAY_IDLE_SECONDS",
    "GATEWAY_NAME",
    "KEEP_ALIVE_PATH",
    "KEEP_ALIVE_SECONDS",
    "MODELS_ROUTE",
    "MODEL_PATH",
    "OPENCODE_FILTER",
    "PRE_STOP_SECONDS",
    "PROXY_IMAGES",
    "PROXY_KEY",
    "PROXY_KEY_SECRET",
    "PROXY_NAME",
    "PROXY_PORT",
    "ROLES_PER_AI_ROUTE",
    "SERVER_IDLE_SECONDS",
    "SERVER_KEY_SECRET",
    "Amounts",
    "AuthPart",
    "ImageUse",
    "IngressPart",
    "KeySecret",
    "ModelSource",
    "OperatorPart",
    "Placement",
    "PlatformPlan",
    "PodResources",
    "Pool",
    "PoolPart",
    "Probes",
    "ProxyPart",
    "ProxySoftwareName",
    "Queues",
    "RoleDecision",
    "Rollout",
    "Scope",
    "ServerPart",
    "ServingPlan",
    "TimeoutChain",
    "choose_rollout",
    "container_amounts",
    "decide_role",
    "derive_timeouts",
    "download_image",
    "format_amount",
    "place",
    "plan_stack",
    "plan_stack_file",
    "pod_requests",
    "pools_of",
    "queued_requests",
    "read_and_plan",
    "servers_of",
    "times",
    "total",
]
