"""A platform for each team, all on one cluster: what a team has stands in the stack file."""

import pulumi

from onprem_agents_components import CodingPlatform, CodingPlatformArgs

config = pulumi.Config()
developer_keys = config.require_secret_object("developerKeys")
server_keys = config.require_secret_object("serverKeys")

platforms = {
    team: CodingPlatform(
        team,
        CodingPlatformArgs(
            namespace=f"agents-{team}",
            hardware={"accelerator": "L40S", "gpus_per_node": 4, "node_names": settings["nodes"]},
            models=settings["models"],
            access={
                "host": f"{team}.agents.example.internal",
                "port": config.require_int("port"),
                "tls": {
                    "secret_name": "agents-tls",
                    "secret_namespace": "certificates",
                    "reference_grant": True,
                },
                "developers": {name: {} for name in settings["developers"]},
            },
            developer_keys={name: developer_keys[team][name] for name in settings["developers"]},
            server_key=server_keys[team],
        ),
    )
    for team, settings in config.require_object("teams").items()
}

pulumi.export("urls", {team: platform.url for team, platform in platforms.items()})
pulumi.export("connections", {team: platform.connection for team, platform in platforms.items()})
