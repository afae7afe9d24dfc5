"""The program: settings → plan → platform → outputs."""

import pulumi

from components.coding_platform import CodingPlatform, CodingPlatformArgs
from components.stack_config import read_stack_config
from onprem_agents.errors import OnpremError
from onprem_agents.plan.report import report

try:
    plan, secrets = read_stack_config(pulumi.Config(), pulumi.get_stack())
except OnpremError as error:
    raise pulumi.RunError(str(error)) from None

platform = CodingPlatform(
    "platform",
    CodingPlatformArgs(
        plan=plan,
        developer_keys=secrets.developer_keys,
        server_key=secrets.server_key,
    ),
)
pulumi.export("connection", plan.connection.to_wire())
for serving in plan.serving:
    for note in serving.notes:
        pulumi.log.info(f"{serving.role}: {note}")

pulumi.export("sizing", report(plan))
pulumi.export("host", platform.host)
