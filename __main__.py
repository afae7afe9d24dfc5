"""The program: settings → platform → outputs."""

import pulumi

from components import CodingPlatform
from components.stack_config import read_stack_config
from onprem_agents.errors import OnpremError

try:
    arguments = read_stack_config(pulumi.Config(), pulumi.get_stack())
except OnpremError as error:
    raise pulumi.RunError(str(error)) from None

platform = CodingPlatform("platform", arguments)
pulumi.export("connection", platform.connection)
pulumi.export("sizing", platform.sizing)
pulumi.export("host", platform.host)
if arguments.get("check") is not None:
    pulumi.export("check", platform.check)
