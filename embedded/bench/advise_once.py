"""One search for models and hardware in a fresh interpreter, which has computed nothing yet.

    python -m embedded.bench.advise_once

Prints the seconds of each part as one JSON object.
"""

from __future__ import annotations

import json
import sys
import time

IMPORT, CATALOGUE = "import", "read the catalogue"
ONE_RANKING = "rank the models for 4 × L40S"
WHOLE_SEARCH = "rank them for every accelerator × 1 to 8"
_DEVELOPERS = 20
_COUNTS = range(1, 9)


def main() -> None:
    """Search once for one machine and once for all of them, sharing nothing."""
    clock = [time.perf_counter()]
    from onprem.catalog import load_catalog
    from onprem.plan.advise import advise, rankings

    clock.append(time.perf_counter())
    catalog = load_catalog()
    accelerators, models = catalog.accelerators, catalog.models
    clock.append(time.perf_counter())
    advise(catalog, catalog.accelerator("L40S"), 4, developers=_DEVELOPERS)
    clock.append(time.perf_counter())
    found = list(rankings(catalog, accelerators, _COUNTS, developers=_DEVELOPERS))
    clock.append(time.perf_counter())
    if len(found) != len(accelerators) * len(_COUNTS) or not models:
        raise ValueError(
            f"{len(found)} rankings of {len(accelerators)} accelerators: the search is not whole"
        )
    parts = (IMPORT, CATALOGUE, ONE_RANKING, WHOLE_SEARCH)
    seconds = {part: end - start for part, start, end in zip(parts, clock, clock[1:], strict=False)}
    sys.stdout.write(json.dumps(seconds) + "\n")


if __name__ == "__main__":
    main()
