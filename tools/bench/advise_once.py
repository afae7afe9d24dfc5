"""The search for models and hardware in a fresh interpreter, which has computed nothing yet.

    python -m tools.bench.advise_once

Prints the seconds of processor time of each part as one JSON object: what else the machine does counts little there.
"""

from __future__ import annotations

import json
import sys
import time

IMPORT, CATALOGUE = "import", "read the catalogue"
ALL_RANKINGS = "all rankings: every accelerator × 1 to 8"
FIRST_CHOICES = "the first choice of each of them"
ONE_RANKING = "one ranking: 4 × L40S"
_PARTS = (IMPORT, CATALOGUE, ALL_RANKINGS, FIRST_CHOICES, ONE_RANKING)
_DEVELOPERS = 20
_COUNTS = range(1, 9)


def main() -> None:
    """Search for everything and for one machine, none of which knows what the other has computed."""
    clock = [time.process_time()]
    from onprem_agents.advice.advise import advise, rankings
    from onprem_agents.catalog import load_catalog

    clock.append(time.process_time())
    catalog = load_catalog()
    accelerators, models = catalog.accelerators, catalog.models
    clock.append(time.process_time())
    found = list(rankings(catalog, accelerators, _COUNTS, developers=_DEVELOPERS))
    clock.append(time.process_time())
    first = list(rankings(catalog, accelerators, _COUNTS, developers=_DEVELOPERS, first_only=True))
    clock.append(time.process_time())
    advise(catalog, catalog.accelerator("L40S"), 4, developers=_DEVELOPERS)
    clock.append(time.process_time())
    if not models or not len(found) == len(first) == len(accelerators) * len(_COUNTS):
        raise ValueError(
            f"{len(found)} rankings of {len(accelerators)} accelerators: the search is not whole"
        )
    seconds = {part: end - start for part, start, end in zip(_PARTS, clock, clock[1:], strict=False)}
    sys.stdout.write(json.dumps(seconds) + "\n")


if __name__ == "__main__":
    main()
