"""One program for all environments: what differs stands in the stack files, what the cluster is says its owner."""

import pulumi

from onprem_agents_components import CodingPlatform, CodingPlatformArgs

config = pulumi.Config()
environment = pulumi.get_stack()
revision = config.require("revision")
developers = config.require_object("developers")
keys = config.require_secret_object("developerKeys")
cluster = pulumi.StackReference(f"{pulumi.get_organization()}/agents-cluster/{environment}")

platform = CodingPlatform(
    "agents",
    CodingPlatformArgs(
        namespace=cluster.require_output("namespace"),
        hardware={
            "accelerator": cluster.require_output("accelerator"),
            "gpus_per_node": cluster.require_output("gpusPerNode"),
            "nodes": cluster.require_output("nodes"),
        },
        models=[
            {
                "role": "coder",
                "model": cluster.require_output("model"),
                "revision": revision,
                "context": config.require_int("context"),
                "replicas": config.require_int("replicas"),
            }
        ],
        access={
            "host": cluster.require_output("host"),
            "port": cluster.require_output("port"),
            "tls": {
                "secret_name": cluster.require_output("certificate"),
                "secret_namespace": cluster.require_output("certificateNamespace"),
            },
            "developers": {name: {} for name in developers},
        },
        timeouts={"longest_turn_seconds": config.require_int("longestTurnSeconds")},
        developer_keys={name: keys[name] for name in developers},
        server_key=config.require_secret("serverKey"),
    ),
)

pulumi.export("url", platform.url)
pulumi.export("revision", revision)
pulumi.export("connection", platform.connection)
