"""What an API server answers when it says no, as an exception that names the object and the server's reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from onprem_agents.errors import ClusterError

if TYPE_CHECKING:
    import httpx2


class ApiError(ClusterError):
    """The API server answered a request with an error.

    `status` is the HTTP status, `reason` the API machinery's word for it ("NotFound", "Conflict", "Invalid";
    empty where the server gave none), `message` the server's own sentence, `name` the object as
    `Kind namespace/name`.
    """

    def __init__(self, *, status: int, reason: str, message: str, name: str) -> None:
        self.status = status
        self.reason = reason
        self.message = message
        self.name = name
        super().__init__(
            f"{name}: the API server answered {status} {reason or '(no reason given)'}: {message}"
        )


def describe(kind: str, name: str | None, namespace: str | None) -> str:
    """Return `Kind namespace/name`, the form in which messages name objects."""
    return f"{kind} {namespace}/{name or '*'}" if namespace else f"{kind} {name or '*'}"


def api_error(answer: httpx2.Response, name: str) -> ApiError:
    """Return the error that an answer stands for; `name` names the object it was about."""
    try:
        status = answer.json()
    except ValueError:
        status = {}
    if not isinstance(status, dict):
        status = {}
    message = str(status.get("message") or answer.text.strip()[:500] or answer.reason_phrase)
    return ApiError(
        status=answer.status_code, reason=str(status.get("reason") or ""), message=message, name=name
    )
