"""A program that looks like Codex in a terminal, as far as it is looked at; run by `sys.executable`.

`FAULT` says what is wrong with it. Its folder is the working folder; it keeps its conversation there.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

FAULT = os.environ.get("FAULT", "")
PROMPT = "\u203a Ask anything\n  coder default \u00b7 /tmp"
CONVERSATION = Path("conversation")


def show(*lines: str) -> str:
    """Clear the screen, draw on it, and return the line that is then typed."""
    sys.stdout.write("\x1b[2J\x1b[H" + "\n".join(lines) + "\n")
    sys.stdout.flush()
    return input().lstrip("\x1b")


def told() -> str:
    return CONVERSATION.read_text() if CONVERSATION.exists() else ""


def edit(task: str) -> None:
    file = Path(re.findall(r"\S+/hello\.txt", task)[0])
    if FAULT == "unasked":
        file.write_text("hi\n")
    show(
        "Would you like to run the following command?", f"$ printf hi > {file}", "\u203a 1. Yes, proceed (y)"
    )
    if FAULT == "denied":
        show("HTTP 401 Unauthorized")
    file.write_text("hello\n" if FAULT == "wrong-file" else "hi\n")
    CONVERSATION.write_text("" if FAULT == "forgets" else f"wrote {file.name}")


def main() -> None:
    if FAULT == "login":
        show("Sign in with ChatGPT", "1. Provide your own API key")
    if FAULT == "update":
        show("Update available", "\u203a 2. Skip")
    if FAULT == "ends":
        sys.exit("error: no such option")
    if "trust" in FAULT:
        show("Trust this folder?", "\u203a 1. Trust and continue")
    page: tuple[str, ...] = ()
    while True:
        line = show(told(), *page, PROMPT)
        page = ()
        if line.startswith("Create"):
            edit(line)
        elif line == "/model":
            page = ("\u203a 1. coder  Coder", "  2. fast  Fast")
            page += ("  3. GPT-6  Best",) if FAULT == "picker" else ()
        elif line == "/status":
            window = 950 if FAULT == "window" else 125
            page = (" Model:   coder (reasoning none)", " Model provider:  On-Prem", f" 9K used / {window}K)")
        elif line == "/compact":
            page = ("Context compacted",)


if __name__ == "__main__":
    main()
