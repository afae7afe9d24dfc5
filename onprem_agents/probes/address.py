"""A gateway that is not reached by its name: the connection goes to an address, all else keeps the name."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import Self

import httpx

from onprem_agents.stack.check import split_address


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where a connection goes; without a port to the one of the name."""

    host: str
    port: int | None = None

    @classmethod
    def of(cls, text: str) -> Self:
        """Return the address that a setting says."""
        host, port = split_address(text)
        return cls(host=host, port=port)


class AtAddress(httpx.BaseTransport):
    """Sends each request to an address; Host, SNI and the check of the certificate are those of its URL."""

    def __init__(self, context: ssl.SSLContext, address: Address) -> None:
        """Take what certificates are checked with."""
        self._inner = httpx.HTTPTransport(verify=context)
        self._address = address

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request."""
        name = request.url.host
        request.extensions = {**request.extensions, "sni_hostname": name}
        request.url = request.url.copy_with(
            host=self._address.host, port=self._address.port or request.url.port
        )
        return self._inner.handle_request(request)

    def close(self) -> None:
        """End the connections."""
        self._inner.close()
