"""Settings and catalogue become one plan, or every problem at once."""

from onprem.plan.derive import plan_stack, pool_of
from onprem.plan.platform import PlatformPlan
from onprem.plan.pool import GPU_RESOURCE, POOL_LABEL, PRODUCT_LABEL, TAINT_KEY, Placement, Pool, place
from onprem.plan.role import RoleDecision, decide_role
from onprem.plan.rollout import Rollout, choose_rollout
from onprem.plan.serving import CHAT_TEMPLATE_PATH, MODEL_PATH, ModelSource, PodResources, Probes, ServingPlan
from onprem.plan.timeouts import PRE_STOP_SECONDS, TimeoutChain, derive_timeouts

__all__ = [
    "CHAT_TEMPLATE_PATH",
    "GPU_RESOURCE",
    "MODEL_PATH",
    "POOL_LABEL",
    "PRE_STOP_SECONDS",
    "PRODUCT_LABEL",
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
    "pool_of",
]
