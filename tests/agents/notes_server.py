"""A tiny MCP server on standard input and output: one tool, which writes a line into the file that is named to it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

_TOOL = {
    "name": "note",
    "description": "Keep a note.",
    "inputSchema": {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]},
}


def answer(method: str, parameters: dict[str, Any], notes: Path) -> dict[str, Any] | None:
    """Return the result of a request, None for a method that it does not know."""
    match method:
        case "initialize":
            return {
                "protocolVersion": parameters["protocolVersion"],
                "capabilities": {"tools": {}},
                "serverInfo": {"name": "notes", "version": "1"},
            }
        case "tools/list":
            return {"tools": [_TOOL]}
        case "tools/call":
            with notes.open("a") as file:
                file.write(f"{parameters['arguments']['text']}\n")
            return {"content": [{"type": "text", "text": "noted"}]}
    return None


def main() -> None:
    for line in sys.stdin:
        request = json.loads(line)
        if "id" not in request:
            continue
        result = answer(request["method"], request.get("params") or {}, Path(sys.argv[1]))
        unknown = {"error": {"code": -32601, "message": "unknown method"}}
        told = {"result": result} if result is not None else unknown
        sys.stdout.write(json.dumps({"jsonrpc": "2.0", "id": request["id"], **told}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
