"""The search for models and hardware in a fresh interpreter, which has computed nothing yet.

    python -m tools.bench.advise_once

Prints `answer: ` and the seconds of processor time of each part as one JSON object: what else the machine does
counts little there.
"""

from __future__ import annotations

import json
import sys
import time

IMPORT, CATALOGUE = "import", "read the catalogue"
ALL_RANKINGS = "all rankings: every accelerator × 1 to 8"
FIRST_CHOICES = "the first choice of each of them"
ONE_RANKING = "one ranking: 4 × L40S"
ONE_BY_ONE = "the same, every server sized on its own"
ONE_MODEL = "look up one model"
ARGVS = "read 1000 command lines of vLLM"
_PARTS = (IMPORT, ONE_MODEL, CATALOGUE, ALL_RANKINGS, FIRST_CHOICES, ONE_RANKING, ONE_BY_ONE, ARGVS)
_DEVELOPERS = 20
_COUNTS = range(1, 9)
_MODEL = "Qwen/Qwen3.6-27B-FP8"
_ARGV = (
    *(
        "vllm",
        "serve",
        _MODEL,
        "--served-model-name",
        "coder",
        "--port",
        "8080",
        "--tensor-parallel-size",
        "2",
    ),
    *("--max-model-len", "131072", "--max-num-seqs", "32", "--gpu-memory-utilization", "0.92"),
    *("--kv-cache-dtype", "fp8", "--enable-prefix-caching", "--enable-auto-tool-choice"),
    *("--tool-call-parser", "qwen3_coder", "--reasoning-parser", "qwen3"),
)


def main() -> None:
    """Search for everything and for one machine, none of which knows what the other has computed."""
    clock = [time.process_time()]
    from onprem_agents.advice.advise import DEFAULT_CONTEXT_TOKENS, Asked, advise, rankings
    from onprem_agents.catalog import load_catalog
    from onprem_agents.vllm import parse_argv
    from tools.bench.one_by_one import one_by_one

    clock.append(time.process_time())
    load_catalog().model_and_variant(_MODEL)
    clock.append(time.process_time())
    catalog = load_catalog()
    accelerators, models = catalog.accelerators, catalog.models
    clock.append(time.process_time())
    found = list(rankings(catalog, accelerators, _COUNTS, Asked(developers=_DEVELOPERS)))
    clock.append(time.process_time())
    first = list(rankings(catalog, accelerators, _COUNTS, Asked(developers=_DEVELOPERS), first_only=True))
    clock.append(time.process_time())
    l40s = catalog.accelerator("L40S")
    advise(catalog, l40s, 4, Asked(developers=_DEVELOPERS))
    clock.append(time.process_time())
    one_by_one(catalog, l40s, 4, _DEVELOPERS, DEFAULT_CONTEXT_TOKENS)
    clock.append(time.process_time())
    for _ in range(1000):
        parse_argv(_ARGV)
    clock.append(time.process_time())
    if not models or not len(found) == len(first) == len(accelerators) * len(_COUNTS):
        raise ValueError(
            f"{len(found)} rankings of {len(accelerators)} accelerators: the search is not whole"
        )
    seconds = {part: end - start for part, start, end in zip(_PARTS, clock, clock[1:], strict=False)}
    sys.stdout.write(f"answer: {json.dumps(seconds)}\n")


if __name__ == "__main__":
    main()
