"""Which nodes a model server's pod may use besides those of its pool: by the CUDA release that their driver knows.

Required, not preferred: a preferred term is dropped as soon as the right nodes are full, and the pod ends on a wrong
one. NVIDIA's former labels (`cuda.runtime.major`) are not asked for: GPU feature discovery sets both (v0.17, 2026-11).
"""

from __future__ import annotations

from onprem_agents.manifests.meta import Manifest
from onprem_agents.plan import ServingPlan
from onprem_agents.stack.labels import CUDA_MAJOR_LABEL, CUDA_MINOR_LABEL


def cuda_affinity(serving: ServingPlan) -> Manifest:
    """Return the pod's `affinity`, or nothing where any driver of the pool will do."""
    if serving.required_cuda is None:
        return {}
    major, minor = serving.required_cuda
    if minor == 0:
        terms = [[_more_than(CUDA_MAJOR_LABEL, major - 1)]]
    else:
        same = {"key": CUDA_MAJOR_LABEL, "operator": "In", "values": [str(major)]}
        terms = [[_more_than(CUDA_MAJOR_LABEL, major)], [same, _more_than(CUDA_MINOR_LABEL, minor - 1)]]
    required = {"nodeSelectorTerms": [{"matchExpressions": term} for term in terms]}
    return {"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}}}


def _more_than(label: str, number: int) -> Manifest:
    return {"key": label, "operator": "Gt", "values": [str(number)]}
