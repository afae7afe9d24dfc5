"""The program: settings → plan → platform → outputs."""

import pulumi

from components.coding_platform import CodingPlatform, CodingPlatformArgs
from components.stack_secrets import read_stack_secrets
from onprem_agents.errors import OnpremError
from onprem_agents.plan import plan_stack
from onprem_agents.plan.contract import connection_for
from onprem_agents.plan.report import report

config = pulumi.Config()
stack = pulumi.get_stack()
source = f"Pulumi.{stack}.yaml"
try:
    plan = plan_stack(config.get_object("platform"), stack=stack, source=source)
    secrets = read_stack_secrets(config, plan, source)
    connection = connection_for(plan)
except OnpremError as error:
    raise pulumi.RunError(str(error)) from None

platform = CodingPlatform(
    "platform",
    CodingPlatformArgs(
        plan=plan,
        connection_json=connection.to_json(),
        developer_keys=secrets.developer_keys,
        server_key=secrets.server_key,
    ),
)
pulumi.export("connection", connection.to_wire())
pulumi.export("sizing", report(plan))
pulumi.export("host", platform.host)
