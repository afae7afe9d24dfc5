"""A stand-in for the API of a forge: it keeps comments in memory, as GitHub and GitLab number and page them."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass
class ForgeStandIn:
    """What was asked, and the comments by number; `status` is what it answers with where it is not 0."""

    asked: list[tuple[str, str, str]] = field(default_factory=list)
    """Method, path and token."""
    comments: dict[int, str] = field(default_factory=dict)
    status: int = 0
    address: str = ""

    def answer(self, method: str, url: str, token: str, body: Any) -> tuple[int, Any]:
        """Answer one request."""
        parts = urlsplit(url)
        self.asked.append((method, parts.path, token))
        if self.status:
            return self.status, {"message": "refused by the stand-in"}
        if method == "GET":
            query = parse_qs(parts.query)
            page, size = int(query["page"][0]), int(query["per_page"][0])
            listed = [{"id": number, "body": text} for number, text in self.comments.items()]
            return 200, listed[(page - 1) * size : page * size]
        number = len(self.comments) + 1 if method == "POST" else int(parts.path.rpartition("/")[2])
        self.comments[number] = body["body"]
        return 201 if method == "POST" else 200, {"id": number}


@contextmanager
def forge_stand_in() -> Iterator[ForgeStandIn]:
    """Serve the stand-in on loopback."""
    forge = ForgeStandIn()

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            token = self.headers.get("Authorization") or self.headers.get("PRIVATE-TOKEN") or ""
            status, told = forge.answer(self.command, self.path, token, body)
            content = json.dumps(told).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PATCH = do_PUT = _serve  # noqa: N815 - the names of http.server

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    forge.address = f"http://127.0.0.1:{server.server_port}"
    try:
        yield forge
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
