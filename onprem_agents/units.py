"""Quantities, durations and token counts as text: the one module that parses and formats units.

Kubernetes quantities leave here in canonical form (the API server stores nothing else, so a value that is
already canonical never shows up as drift), durations in the form of the Gateway API, token counts in the
shorthand of `vllm serve --max-model-len`.
"""

from __future__ import annotations

import math
import re
from fractions import Fraction

from onprem_agents.errors import OnpremError

KIB = 2**10
MIB = 2**20
GIB = 2**30
GB = 10**9

# Kubernetes resource.Quantity, apimachinery v0.36 (quantity.go): suffixes of its serialisation format.
_BINARY = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "Pi": 2**50, "Ei": 2**60}
_DECIMAL = {
    "n": Fraction(1, 10**9),
    "u": Fraction(1, 10**6),
    "m": Fraction(1, 1000),
    "": Fraction(1),
    "k": Fraction(10**3),
    "M": Fraction(10**6),
    "G": Fraction(10**9),
    "T": Fraction(10**12),
    "P": Fraction(10**15),
    "E": Fraction(10**18),
}
_QUANTITY = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(Ki|Mi|Gi|Ti|Pi|Ei|n|u|m|k|M|G|T|P|E|)")
_QUANTITY_EXPONENT = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)[eE]([+-]?[0-9]{1,2})")

# Gateway API v1 `Duration` (GEP-2257): one to four parts, each at most five digits.
_DURATION = re.compile(r"([0-9]{1,5}(h|m|s|ms)){1,4}")
_DURATION_PART = re.compile(r"([0-9]{1,5})(h|ms|m|s)")
_MILLISECONDS = {"h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}

# vLLM 0.33.0 `human_readable_int`: small letters count in thousands, capitals in powers of 1024.
_TOKENS = re.compile(r"([0-9]+(?:\.[0-9]+)?)([kmgKMG]?)")
_TOKEN_FACTORS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "K": 2**10, "M": 2**20, "G": 2**30}


class BadUnit(OnpremError, ValueError):
    """A quantity, duration or token count that cannot be read; as a ValueError, pydantic reports it too."""


def parse_quantity(text: str) -> Fraction:
    """Return the exact value of a Kubernetes quantity such as "500m", "8" or "32Gi". Raises BadUnit."""
    if match := _QUANTITY.fullmatch(text):
        number, suffix = match.groups()
        factor = Fraction(_BINARY[suffix]) if suffix in _BINARY else _DECIMAL[suffix]
        return Fraction(number) * factor
    if match := _QUANTITY_EXPONENT.fullmatch(text):
        return Fraction(match[1]) * Fraction(10) ** int(match[2])
    raise BadUnit(f'{text!r} is not a Kubernetes quantity; write it like "8", "500m" or "32Gi"')


def canonical_quantity(text: str) -> str:
    """Return the form in which an API server stores that quantity: "0.5" is "500m", "1024Mi" is "1Gi"."""
    value = parse_quantity(text)
    return format_bytes(math.ceil(value)) if text.endswith(tuple(_BINARY)) else _decimal(value)


def format_cpu(cores: float) -> str:
    """Return CPU cores as a canonical quantity, rounded up to whole millicores: 0.5 is "500m", 8 is "8"."""
    return _decimal(Fraction(_ceil(cores * 1000), 1000))


def format_bytes(count: int) -> str:
    """Return a number of bytes as a canonical binary quantity: 2**35 is "32Gi"."""
    if count < KIB:  # as the API server does: below 1024 there is no binary suffix to use
        return _decimal(Fraction(count))
    suffix = ""
    for name, factor in _BINARY.items():
        if count % factor:
            break
        suffix = name
    return f"{count // _BINARY[suffix]}{suffix}" if suffix else str(count)


def format_gib(gib: float) -> str:
    """Return GiB as a canonical quantity, rounded up to whole MiB: 32 is "32Gi", 1.5 is "1536Mi"."""
    return format_bytes(_ceil(gib * 1024) * MIB)


def parse_duration(text: str) -> float:
    """Return the seconds in a Gateway API duration such as "600s", "1h30m" or "500ms". Raises BadUnit."""
    if not _DURATION.fullmatch(text):
        raise BadUnit(f'{text!r} is not a duration; write it like "600s", "10m" or "1h30m"')
    parts = _DURATION_PART.findall(text)
    return sum(int(number) * _MILLISECONDS[unit] for number, unit in parts) / 1000


def format_duration(seconds: float) -> str:
    """Return seconds as a Gateway API duration in its shortest form: 600 is "10m", 90 is "1m30s", 0 is "0s".

    Rounds up to whole milliseconds; raises BadUnit for a negative time or one beyond 99999 hours.
    """
    rest = _ceil(seconds * 1000)
    if rest < 0 or rest > 99_999 * _MILLISECONDS["h"]:
        raise BadUnit(f"{seconds} s is not a time between 0 and 99999 hours")
    parts = []
    for unit, size in _MILLISECONDS.items():
        number, rest = divmod(rest, size)
        if number:
            parts.append(f"{number}{unit}")
    return "".join(parts) or "0s"


def rough_time(seconds: float) -> str:
    """Return a time as people say it: 95 is "95 s", 4600 is "77 min", 36000 is "10.0 h"."""
    if seconds < 120:  # noqa: PLR2004 - below two minutes a minute is too rough
        return f"{_ceil(seconds)} s"
    if seconds < 7200:  # noqa: PLR2004 - and below two hours an hour is
        return f"{_ceil(seconds / 60)} min"
    return f"{seconds / 3600:.1f} h"


def parse_tokens(text: str | int) -> int:
    """Return a token count from vLLM's shorthand: "128K" is 131072, "128k" is 128000. Raises BadUnit."""
    match = _TOKENS.fullmatch(str(text))
    if match:
        value = Fraction(match[1]) * _TOKEN_FACTORS[match[2]]
        if value.denominator == 1:
            return int(value)
    raise BadUnit(f'{text!r} is not a token count; write it like 131072, "128K" (131072) or "128k" (128000)')


def format_tokens(count: int) -> str:
    """Return a token count in the shortest exact shorthand: 131072 is "128K", 1000 is "1k"."""
    for suffix in ("M", "K", "m", "k"):
        factor = _TOKEN_FACTORS[suffix]
        if count and count % factor == 0:
            return f"{count // factor}{suffix}"
    return str(count)


def _ceil(value: float) -> int:
    """Round up, but not for the last bits of a float: 0.1 * 1000 * 3 is 300, not 301."""
    return math.ceil(round(value, 6))


def _decimal(value: Fraction) -> str:
    """Return the canonical decimal form: no fraction, the largest suffix that keeps it exact."""
    if value == 0:
        return "0"
    for suffix, factor in reversed(_DECIMAL.items()):
        if (value / factor).denominator == 1:
            return f"{value // factor}{suffix}"
    return f"{math.ceil(value / _DECIMAL['n'])}n"  # Kubernetes keeps nothing finer than nano, rounding up
