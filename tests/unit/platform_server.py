"""A platform on loopback for the doctor: a gateway with a key before a model, and each fault on wish."""

from __future__ import annotations

import contextlib
import http.server
import json
import ssl
import threading
import time
from collections.abc import Iterator
from typing import Any

from onprem_agents.contract.connection import WELL_KNOWN_PATH, Connection
from tests.unit.contract_samples import CONTRACT, parsed

KEY = "onprem-the-developers-own-key-0123456789"
ARGUMENTS = '{"path": "hello.txt", "content": "hi"}'


class Platform(http.server.ThreadingHTTPServer):
    """Answers as vLLM behind the gateway does; `faults` switches on what is wrong."""

    daemon_threads = True

    def __init__(self, *faults: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.faults = set(faults)
        self.contract_text: str | None = None
        self.headers: dict[str, str] = {}
        self.changes: dict[str, Any] = {}
        self.seen: list[tuple[str, dict[str, str], int]] = []
        self.bodies: list[tuple[str, dict[str, Any]]] = []

    @property
    def authority(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"

    def contract(self, **changes: Any) -> Connection:
        """Return the contract of this platform, with these wire values changed."""
        base = f"http://{self.authority}"
        data = {**CONTRACT, "host": "127.0.0.1", "baseUrl": f"{base}/v1", "anthropicBaseUrl": base}
        data |= self.changes | changes
        return parsed(data)


@contextlib.contextmanager
def platform(*faults: str, tls: ssl.SSLContext | None = None) -> Iterator[Platform]:
    """Run a platform with these faults for the length of a block."""
    server = Platform(*faults)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Platform

    def do_GET(self) -> None:
        if self.path == WELL_KNOWN_PATH and self.server.contract_text is not None:
            self._send(200, self.server.contract_text)
        elif self.path == "/v1/models" and not self._key_is_right():
            self._send(401, json.dumps({"error": {"message": "Unauthorized"}}))
        elif self.path == "/v1/models" and "busy" in self.server.faults:
            self._send(503, "too many requests", retry_after="0")
        elif self.path == "/v1/models":
            self._send(200, json.dumps({"data": [{"id": "coder"}]}))
        else:
            self._send(404, json.dumps({"detail": "Not Found"}))

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("content-length", 0)))
        self.server.seen.append((self.path, dict(self.headers.items()), len(raw)))
        self.server.bodies.append((self.path, json.loads(raw)))
        faults = self.server.faults
        if "busy-once" in faults and len(self.server.seen) % 2:
            self._send(429, "slow down", retry_after="0")
        elif status := next((fault for fault in faults if fault.startswith("busy-with-")), None):
            self._send(int(status.removeprefix("busy-with-")), "too many requests", retry_after="0")
        elif "body-limit" in faults and len(raw) > 1024 * 1024:
            self._send(413, "Payload Too Large")
        elif not self._key_is_right() and "open" not in faults:
            self._send(401, json.dumps({"error": {"message": "Unauthorized"}}))
        elif "upstream" in faults:
            self._send(503, "upstream connect error")
        else:
            self._answer(json.loads(raw))

    def _key_is_right(self) -> bool:
        return KEY in (
            self.headers.get("x-api-key"),
            (self.headers.get("authorization") or "").removeprefix("Bearer "),
        )

    def _answer(self, body: dict[str, Any]) -> None:
        faults, path = self.server.faults, self.path.partition("?")[0]
        if body.get("model") != "coder" or "model" in faults:
            self._send(
                404, json.dumps({"error": {"message": f"The model `{body.get('model')}` does not exist."}})
            )
        elif "template" in faults and json.dumps(body).count('"developer"') > 1:
            self._send(400, json.dumps({"error": {"message": "System message must be at the beginning."}}))
        elif "blind" in faults and "image" in json.dumps(body):
            self._send(400, json.dumps({"error": {"message": "At most 0 image(s) may be provided."}}))
        elif "no-namespaces" in faults and '"namespace"' in json.dumps(body):
            self._send(400, json.dumps({"error": {"message": "tools.0.type: Input should be 'function'"}}))
        elif path == "/v1/chat/completions":
            self._chat(body)
        elif path == "/v1/messages/count_tokens" and "no-count" not in faults:
            self._send(200, json.dumps({"input_tokens": 12}))
        elif path == "/v1/messages" and "no-messages" not in faults:
            self._messages(body)
        elif path == "/v1/responses" and "no-responses" not in faults:
            self._responses(body)
        else:
            self._send(404, json.dumps({"detail": "Not Found"}))

    def _chat(self, body: dict[str, Any]) -> None:
        faults = self.server.faults
        if "silent-on-long-prompts" in faults and len(json.dumps(body)) > 10_000:
            time.sleep(1)
        window = 32768 if "window" in faults else 131072
        if body.get("max_tokens", 0) > window and "tells-no-window" not in faults:
            text = f"'max_tokens' is too large. This model's maximum context length is {window} tokens."
            self._send(400, json.dumps({"error": {"message": text}}))
            return
        calls = self._calls(body) if "tools" in body else []
        content = "" if calls else "prose" if "tools" in body else "ready"
        if "raw-calls" in faults and calls:
            calls, content = [], f"<tool_call>{ARGUMENTS}</tool_call>"
        if "thoughts" in faults and not calls:
            content = f"<think>hm</think>{content}"
        if not body.get("stream"):
            function = [{"function": {"name": name, "arguments": arguments}} for name, arguments in calls]
            message = {"content": content, "tool_calls": function}
            self._send(200, json.dumps({"choices": [{"message": message, "finish_reason": "stop"}]}))
            return
        self._stream(body, content, calls)

    def _stream(self, body: dict[str, Any], content: str, calls: list[tuple[str, str]]) -> None:
        faults = self.server.faults
        arguments = body.get("chat_template_kwargs") or {}
        thought = [{"reasoning": "hm"}] if arguments.get("enable_thinking") is not False else []
        deltas: list[dict[str, Any]] = [*thought, {"content": content}] if content else []
        for index, (name, written) in enumerate(calls):
            deltas.append({"tool_calls": [{"index": index, "function": {"name": name, "arguments": ""}}]})
            half = len(written) // 2
            rest = written[half:] if "cut-arguments" not in faults else ""
            deltas += [
                {"tool_calls": [{"index": index, "function": {"arguments": part}}]}
                for part in (written[:half], rest)
            ]
        lines = [f"data: {json.dumps({'choices': [{'delta': delta}]})}\n\n" for delta in deltas]
        if "stream-error" in faults:
            lines = [f"data: {json.dumps({'error': {'message': 'engine died'}})}\n\n"]
        if "no-stream" in faults:
            lines = ["{}"]
        if "cut" not in faults:
            lines.append("data: [DONE]\n\n")
        if "buffers" in faults and "Count from" in json.dumps(body):
            lines = lines[:-1] * 40 + lines[-1:]
            time.sleep(len(lines) * 0.02)  # held by a proxy until the model has made the last one
        self._send(200, "".join(lines), kind="text/event-stream")

    def _calls(self, body: dict[str, Any]) -> list[tuple[str, str]]:
        if "no-tools" in self.server.faults:
            return []
        if "prose-to-two" in self.server.faults and "two files" in json.dumps(body):
            return []
        two = "two files" in json.dumps(body) and "one-at-a-time" not in self.server.faults
        return [("write_file", ARGUMENTS)] * (2 if two else 1)

    def _messages(self, body: dict[str, Any]) -> None:
        if not body.get("stream"):
            self._send(200, json.dumps({"type": "message", "content": [{"type": "text", "text": "ready"}]}))
            return
        delta = {"type": "input_json_delta", "partial_json": ARGUMENTS}
        rows: list[dict[str, Any]] = [
            {"type": "message_start", "message": {}},
            {
                "type": "content_block_start",
                "index": 0,
                "content_block": {"type": "tool_use", "name": "write_file"},
            },
            {"type": "content_block_delta", "index": 0, "delta": delta},
            {"type": "message_stop"},
        ]
        self._events(rows[:1] + rows[3:] if "no-tools" in self.server.faults else rows)

    def _responses(self, body: dict[str, Any]) -> None:
        item: dict[str, Any] = {"type": "function_call", "name": "write_file", "arguments": ARGUMENTS}
        if "tools" not in body:
            item = {"type": "message", "content": [{"type": "output_text", "text": "red"}]}
        rows: list[dict[str, Any]] = [{"type": "response.output_item.done", "item": item}]
        if "responses-cut" not in self.server.faults:
            rows.append({"type": "response.completed", "response": {"id": "r"}})
        self._events(rows)

    def _events(self, rows: list[dict[str, Any]]) -> None:
        text = "".join(f"event: {row['type']}\ndata: {json.dumps(row)}\n\n" for row in rows)
        self._send(200, text, kind="text/event-stream")

    def _send(
        self, status: int, text: str, *, kind: str = "application/json", retry_after: str | None = None
    ) -> None:
        data = text.encode()
        self.send_response(status)
        if retry_after is not None:
            self.send_header("retry-after", retry_after)
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        """Stay quiet."""
