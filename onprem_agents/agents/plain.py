"""Plain variables for a client that this product does not know: what the SDKs of OpenAI and Anthropic read.

Those for Python and JavaScript, read 2026-11-28. Many clients name the model in settings of their own.
"""

from __future__ import annotations

from onprem_agents.agents.agent import Client
from onprem_agents.agents.environment import Environment
from onprem_agents.contract.connection import Connection

# Node.js adds the first to its own certificates; Python and Go take the second instead of theirs.
CA_VARIABLES = ("NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE")


def _openai(connection: Connection) -> Environment:
    """Return the variables; OPENAI_API_BASE is what clients from before 2024 read."""
    address = dict.fromkeys(("OPENAI_BASE_URL", "OPENAI_API_BASE"), connection.base_url)
    key = connection.auth.key_env
    return Environment(
        keys={key: "key"},
        values={**address, "OPENAI_MODEL": connection.main.model},
        copies={"OPENAI_API_KEY": key},
        notes=_limits(connection),
    )


def _anthropic(connection: Connection) -> Environment:
    """Return the variables; a key in ANTHROPIC_API_KEY would be sent beside the token."""
    key = connection.auth.key_env
    return Environment(
        keys={key: "key"},
        values={
            "ANTHROPIC_BASE_URL": connection.anthropic_base_url,
            "ANTHROPIC_MODEL": connection.main.model,
        },
        copies={"ANTHROPIC_AUTH_TOKEN": key},
        removed=("ANTHROPIC_API_KEY",),
        notes=_limits(connection),
    )


def _limits(connection: Connection) -> tuple[str, ...]:
    return tuple(
        f"The model {role.model} ({role.model_id}): a window of {role.context_tokens} tokens, at most"
        f" {role.max_output_tokens} of output, {'with' if role.tool_calling else 'without'} tool calling."
        for role in connection.roles
    )


PLAIN: tuple[Client, ...] = (
    Client(
        name="openai",
        title="any client of the OpenAI API",
        tried="2026-11-28",
        source="the SDKs' own readme files",
        ca_variables=CA_VARIABLES,
        files=lambda _connection: (),
        environment=_openai,
    ),
    Client(
        name="anthropic",
        title="any client of the Anthropic API",
        tried="2026-11-28",
        source="the SDKs' own readme files",
        ca_variables=CA_VARIABLES,
        files=lambda _connection: (),
        environment=_anthropic,
    ),
)
