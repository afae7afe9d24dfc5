"""A team's own program, with its namespace and its bot; the model server in the middle is what was added."""

import pulumi
import pulumi_kubernetes as k8s

from onprem_agents_components import InferenceService, InferenceServiceArgs

namespace = k8s.core.v1.Namespace("reviews", metadata={"name": "code-reviews"})

server = InferenceService(
    "coder",
    InferenceServiceArgs(
        role="coder",
        model="Qwen/Qwen3.6-27B-FP8",
        accelerator="L40S",
        gpus_per_node=4,
        namespace=namespace.metadata["name"],
    ),
)

labels = {"app": "review-bot"}
bot = k8s.apps.v1.Deployment(
    "bot",
    metadata={"name": "review-bot", "namespace": namespace.metadata["name"]},
    spec={
        "selector": {"match_labels": labels},
        "template": {
            "metadata": {"labels": labels},
            "spec": {
                "containers": [
                    {
                        "name": "bot",
                        "image": "registry.example.internal/review-bot:3",
                        "env": [
                            {"name": "OPENAI_BASE_URL", "value": server.url},
                            {"name": "OPENAI_MODEL", "value": server.served_model},
                        ],
                    }
                ]
            },
        },
    },
)

pulumi.export("url", server.url)
pulumi.export("model", server.served_model)
pulumi.export("agents", server.supported_agents)
pulumi.export("sizing", server.sizing)
