"""Labels and annotations by which the objects of a stack are known in a cluster.

The prefix is the distribution's own name: a name without a dot belongs to no domain, so nobody else can own it.
"""

PREFIX = "onprem-coding-agents"

STACK_LABEL = f"{PREFIX}/stack"
ROLE_LABEL = f"{PREFIX}/role"
AGENTS_LABEL = f"{PREFIX}/agents"
"""On anybody's model server: "false" where agents do not talk to it, so that no policy asks for tool calling."""
POOL_LABEL = f"{PREFIX}/gpu-pool"
"""On nodes: the pool that a stack makes of them."""
POOL_NAMESPACE_LABEL = f"{PREFIX}/gpu-pool-namespace"
"""On the same nodes: the namespace whose servers they are for, so that pools of one kind of GPU stay apart."""
CONFIG_ANNOTATION = f"{PREFIX}/config"
"""On pods: a digest of the files they read, so that a change of a file restarts them."""
MODEL_ANNOTATION = f"{PREFIX}/model"
"""On anybody's model server: the Hugging Face id of its checkpoint, where nothing else tells it."""
ACCELERATOR_ANNOTATION = f"{PREFIX}/accelerator"
"""On anybody's model server: the accelerator of the catalogue that it runs on, where no node selector tells it."""
SESSIONS_ANNOTATION = f"{PREFIX}/sessions"
"""On anybody's model server: the sessions of full context that it is promised to hold at once, over all replicas."""
QUEUE_LABEL = "kueue.x-k8s.io/queue-name"
"""On what is to be admitted, not ours: the LocalQueue of its namespace (Kueue 0.19, read 2026-11)."""
CUDA_MAJOR_LABEL = "nvidia.com/cuda.runtime-version.major"
CUDA_MINOR_LABEL = "nvidia.com/cuda.runtime-version.minor"
"""On nodes, not ours: the CUDA release that their driver knows (NVIDIA's GPU feature discovery v0.17, read 2026-11)."""
