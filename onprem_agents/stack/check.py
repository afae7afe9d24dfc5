"""The settings of the check after an update: is what was deployed of use to an agent?"""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated

from pydantic import AfterValidator, Field

from onprem_agents.errors import Finding
from onprem_agents.stack.section import Section
from onprem_agents.stack.untrusted import is_dns_name, refusal

DEFAULT_LONG_PROMPT_TOKENS = 60_000
"""What an agent's conversation comes to in half an hour of work on a repository."""

_ADDRESS = re.compile(r"(?P<host>[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::(?P<port>[0-9]{1,5}))?")
_MOST_PORT = 65_535


def split_address(text: str) -> tuple[str, int | None]:
    """Return host and port of an address `HOST[:PORT]`; raises the refusal of a setting."""
    match = _ADDRESS.fullmatch(text)
    port = int(match["port"]) if match is not None and match["port"] else None
    if match is None or not _is_host(match["host"].strip("[]")) or port == 0 or (port or 0) > _MOST_PORT:
        raise refusal(
            Finding(
                cause="bad-value",
                found="",
                why="it must be an IP address or a host name and, perhaps, a port: the way to the gateway, while "
                "certificate and requests keep its own name",
                fix="write it like 10.0.0.7, 127.0.0.1:8443 or [fd00::7]:443",
            )
        )
    return match["host"].strip("[]"), port


def _is_host(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return is_dns_name(text) and not re.fullmatch(r"[0-9.]+", text)
    return True


def _address(text: str) -> str:
    split_address(text)
    return text


GatewayAddress = Annotated[str, AfterValidator(_address)]
FileName = Annotated[str, Field(min_length=1, max_length=4096, pattern=r"^[^\x00-\x1f\x7f]+$")]


class Check(Section):
    """How the deployed platform is tried out once its models are loaded."""

    strict: bool = Field(
        default=False, description="Let the update fail where the check finds a fault. Left out: it warns."
    )
    long_prompt_tokens: Annotated[int, Field(strict=True, ge=1024, le=4_194_304)] = Field(
        default=DEFAULT_LONG_PROMPT_TOKENS,
        description="Length of the long prompt, in tokens; a smaller context takes what it has room for.",
    )
    wait_seconds: Annotated[int, Field(strict=True, ge=0, le=3600)] = Field(
        default=60,
        description="How long the gateway may take to know its routes, keys and servers after it says that it is "
        "ready, in seconds.",
    )
    address: GatewayAddress | None = Field(
        default=None,
        description="Where the gateway is reached, HOST[:PORT], while its name is in no DNS yet or leads elsewhere; "
        "the certificate is checked for the name all the same. Left out: where its name leads.",
    )
    ca_file: FileName | None = Field(
        default=None,
        description="CA file (PEM) of a private issuer, on the machine that deploys. Left out: the certificates that "
        "this machine trusts.",
    )
