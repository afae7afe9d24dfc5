"""A comment on a change at its forge, written once and brought up to date in place after that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import httpx

from onprem_agents.errors import EnvironmentProblem

_PAGE = 100
# No change has more comments than so many pages of them hold.
_MOST_PAGES = 100
_TIMEOUT_SECONDS = 30
_SUCCESS = 300
# Longest text of a comment, characters: GitHub's API refuses more, GitLab's documentation says so (read 2026-11).
_MOST_CHARACTERS = {"github": 65_536, "gitlab": 1_000_000}
_CUT = "\n\n… cut: the whole stands in the log of the job"


@dataclass(frozen=True, kw_only=True)
class Change:
    """A pull request at GitHub, or a merge request at GitLab; `api` is the address of the forge's API."""

    forge: Literal["github", "gitlab"]
    api: str
    repository: str
    """`owner/name` at GitHub, the project's number or path at GitLab."""
    number: str
    token: str

    @property
    def _comments(self) -> str:
        if self.forge == "github":
            return f"{self.api}/repos/{self.repository}/issues/{self.number}/comments"
        project = self.repository.replace("/", "%2F")
        return f"{self.api}/projects/{project}/merge_requests/{self.number}/notes"

    def _comment(self, identity: object) -> str:
        if self.forge == "github":
            return f"{self.api}/repos/{self.repository}/issues/comments/{identity}"
        return f"{self._comments}/{identity}"

    @property
    def _headers(self) -> Mapping[str, str]:
        if self.forge == "github":
            return {"Authorization": f"Bearer {self.token}", "Accept": "application/vnd.github+json"}
        return {"PRIVATE-TOKEN": self.token}

    def tell(self, text: str, mark: str) -> Literal["written", "brought up to date"]:
        """Write a comment that begins with the mark, over the one that began with it before.

        Raises `EnvironmentProblem` where the forge does not answer or refuses.
        """
        most = _MOST_CHARACTERS[self.forge]
        body = text if len(text) <= most else text[: most - len(_CUT)] + _CUT
        with httpx.Client(headers=self._headers, timeout=_TIMEOUT_SECONDS) as http:
            for comment in self._written(http):
                if str(comment.get("body", "")).startswith(mark):
                    method = "PATCH" if self.forge == "github" else "PUT"
                    _asked(http, method, self._comment(comment["id"]), body)
                    return "brought up to date"
            _asked(http, "POST", self._comments, body)
        return "written"

    def _written(self, http: httpx.Client) -> Iterator[Mapping[str, Any]]:
        for page in range(1, _MOST_PAGES + 1):
            found = _asked(http, "GET", f"{self._comments}?per_page={_PAGE}&page={page}", None)
            yield from found
            if len(found) < _PAGE:
                return


def _asked(http: httpx.Client, method: str, url: str, body: str | None) -> Any:
    try:
        response = http.request(method, url, json=None if body is None else {"body": body})
        if response.status_code < _SUCCESS:
            return response.json()
    except (httpx.HTTPError, ValueError) as error:
        raise EnvironmentProblem(
            f"{method} {url}: {error or type(error).__name__}; can the job reach the forge?"
        ) from None
    raise EnvironmentProblem(
        f"{method} {url}: {response.status_code} {response.text[:200]!r}; the token must be allowed to read and write "
        "comments on changes (GitHub: pull-requests: write; GitLab: scope api)"
    )
