"""Whether something on the loopback answers."""

from __future__ import annotations

import ssl

import httpx

_ANSWER_SECONDS = 2.0


def answers(url: str, *, context: ssl.SSLContext | None = None) -> bool:
    """Whether a GET of `url` succeeds; proxies of the environment are not asked."""
    try:
        answer = httpx.get(url, verify=context or False, trust_env=False, timeout=_ANSWER_SECONDS)
    except httpx.HTTPError:
        return False
    return answer.is_success
