"""Settings and catalogue become one plan, or every problem at once."""

from onprem_agents.plan.derive import plan_stack, pool_of
from onprem_agents.plan.platform import PlatformPlan
from onprem_agents.plan.pool import GPU_RESOURCE, TAINT_KEY, Placement, Pool, place
from onprem_agents.plan.role import RoleDecision, decide_role
from onprem_agents.plan.rollout import Rollout, choose_rollout
from onprem_agents.plan.serving import (
    CHAT_TEMPLATE_PATH,
    MODEL_PATH,
    ModelSource,
    PodResources,
    Probes,
    ServingPlan,
)
from onprem_agents.plan.stack_plan import plan_stack_file, read_and_plan
from onprem_agents.plan.timeouts import PRE_STOP_SECONDS, TimeoutChain, derive_timeouts

__all__ = [
    "CHAT_TEMPLATE_PATH",
    "GPU_RESOURCE",
    "MODEL_PATH",
    "PRE_STOP_SECONDS",
    "TAINT_KEY",
    "ModelSource",
    "Placement",
    "PlatformPlan",
    "PodResources",
    "Pool",
    "Probes",
    "RoleDecision",
    "Rollout",
    "ServingPlan",
    "TimeoutChain",
    "choose_rollout",
    "decide_role",
    "derive_timeouts",
    "place",
    "plan_stack",
    "plan_stack_file",
    "pool_of",
    "read_and_plan",
]
