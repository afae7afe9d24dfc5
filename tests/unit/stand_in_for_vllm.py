"""A stand-in for vLLM, no vLLM: prints one of its lines, leaves a file in the cache and answers on /health.

Run as `stand_in_for_vllm.py -m … serve FOLDER --port PORT …`. A model whose folder is named in STAND_IN_HANGS never
answers and heeds no SIGTERM, one in STAND_IN_FAILS ends with an error.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path


class Health(BaseHTTPRequestHandler):
    """Answers everything with 200."""

    def do_GET(self) -> None:
        """Answer."""
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_words: object) -> None:
        """Say nothing."""


def main() -> None:
    words = sys.argv[1:]
    folder = words[words.index("serve") + 1]
    with Path(os.environ["STAND_IN_STARTS"]).open("a", encoding="utf-8") as file:
        file.write(folder + "\n")
    sys.stdout.write("INFO 11-29 [gpu_worker.py:1] Available KV cache memory: 41.05 GiB\n")
    sys.stdout.flush()
    if os.environ.get("STAND_IN_HANGS", "none") in folder:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(600)
    if os.environ.get("STAND_IN_FAILS", "none") in folder:
        raise SystemExit("ValueError: the stand-in was told to fail")
    Path(os.environ["VLLM_CACHE_ROOT"], "compiled").touch()
    port = int(words[words.index("--port") + 1])
    HTTPServer(("127.0.0.1", port), Health).serve_forever()


if __name__ == "__main__":
    main()
