"""What `docs/components.md` tells beside its tables: how arguments and options behave, and an example of each part.

The examples go on from one another, in this order; a test runs them.
"""

from __future__ import annotations

HEAD = """# Components

Seven components for any Pulumi program: `pip install 'onprem-coding-agents[platform]'`, then
`from onprem_agents_components import InferenceService` (in a checkout of this repository: `from components import …`).
Each works alone, on what is already in your cluster. This page is made from the code by
`ONPREM_WRITE_GOLDEN=1 ./dev test golden`.

- **Names** are Python's here; YAML, TypeScript and Go write them in camelCase. Arguments are a plain `dict` or the
  component's own `…Args`, which editors and mypy check.
- **Defaults** are derived by the same plan as a stack file's. Where one says "as `platform.…`", it is that
  [setting](settings.md)'s.
- **Outputs as arguments**: every value may be an Output, at any depth. What is known when the program runs is checked
  and declared at once. What is not, because it comes from a resource that does not exist yet, is planned when it is
  known: the preview checks what it can, and says on the component which arguments it waits for. The children come after
  everything that the arguments depend on.
- **Attributes as arguments**: what takes one comes after the component's objects, a model server's once it is loaded.
  `server`, `proxy` and `ingress` alone wait for nothing: routes and keys are there before the model is.
- **Secrets**: keys are secret whatever you give. A secret Output as another argument is refused, because settings are
  published to developers' machines.
- **Refusals** name component and argument, what was found, why it cannot work and what to change, all at once and
  before any of its objects is declared.
- **Programs in other languages** take the folder of the package: `components` here, `onprem_agents_components` where it
  is installed. `pulumi package add FOLDER` generates what TypeScript or Go imports; a YAML program names it under
  `packages` ([example](../examples/yaml/README.md)). The SDK's host does not hand over `delete_before_replace` and
  `custom_timeouts` (pulumi 3.272, 2026-11).
- **Options** given to a component reach its children: `provider`, `providers`, `parent`, `protect`, `aliases`,
  `transforms`, `depends_on`, `ignore_changes`, `delete_before_replace`, `custom_timeouts`, `replace_on_changes`,
  `retain_on_delete`, `deleted_with`.
"""

COMPONENTS = {
    "GpuNodePool": """
from onprem_agents_components import GpuNodePool, GpuNodePoolArgs

pool = GpuNodePool(
    "pool",
    GpuNodePoolArgs(accelerator="L40S", gpus_per_node=4, nodes=2, namespace="agents"),
)
""",
    "InferenceService": """
from onprem_agents_components import InferenceService

coder = InferenceService(
    "coder",
    {
        "role": "coder",
        "model": "Qwen/Qwen3.6-27B-FP8",
        "accelerator": pool.accelerator,
        "gpus_per_node": pool.gpus_per_node,
        "namespace": pool.namespace,
    },
)
""",
    "TranslationProxy": """
from onprem_agents_components import TranslationProxy

secrets = pulumi.Config()
proxy = TranslationProxy(
    "proxy",
    {
        "servers": [coder.server],
        "software": "litellm",
        "namespace": "agents",
        "server_key": secrets.require_secret("serverKey"),
    },
)
""",
    "ExternalIngress": """
from onprem_agents_components import ExternalIngress

ingress = ExternalIngress(
    "ingress",
    {
        "host": "agents.example.internal",
        "tls": {"issuer": "internal-ca"},
        "servers": [coder.server, {"name": "theirs", "service": "vllm", "context_tokens": 65536}],
        "proxy": proxy.proxy,
        "namespace": "agents",
    },
)
""",
    "GatewayAuth": """
from onprem_agents_components import GatewayAuth

auth = GatewayAuth(
    "auth",
    {
        "ingress": ingress.ingress,
        "developer_keys": {"alice": secrets.require_secret("aliceKey")},
    },
)
""",
    "ServiceCheck": """
from onprem_agents_components import ServiceCheck

check = ServiceCheck(
    "check",
    {
        "connection": ingress.connection,
        "models": [coder.served_model],
        "developer_key": secrets.require_secret("aliceKey"),
        "strict": True,
    },
    pulumi.ResourceOptions(depends_on=[auth]),
)
""",
    "CodingPlatform": """
from onprem_agents_components import CodingPlatform

platform = CodingPlatform(
    "platform",
    {
        "hardware": {"tier": "48gb"},
        "models": [{"role": "coder", "model": "Qwen/Qwen3.6-27B-FP8"}],
        "access": {"host": "a.internal", "tls": {"issuer": "internal-ca"}, "developers": {"alice": {}}},
        "developer_keys": {"alice": secrets.require_secret("aliceKey")},
        "server_key": secrets.require_secret("serverKey"),
    },
)
""",
}
"""Each component, in the order of the page, with its example."""
