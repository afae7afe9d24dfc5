"""What is wrong with a value, in words, by pydantic's name of the error: its own words are those of a programmer."""

from __future__ import annotations

from typing import Any

from onprem_agents.errors import Cause

_LIST = "a list is due: entries below each other with a dash, or [one, another]"
_MAP = "a map of settings is due: 'key: value' pairs"
_WHOLE_NUMBER = "it must be a whole number, without quotes"
_NUMBER = "it must be a number, without quotes"
_FLAG = "it must be true or false"
_DATE = "it must be a date such as 2026-11-29"
# By the types of pydantic 2.11 to 2.14 (pydantic_core, ErrorType), those that settings can meet with.
_WORDS = {
    "bool_parsing": _FLAG,
    "bool_type": _FLAG,
    "date_from_datetime_inexact": _DATE,
    "date_from_datetime_parsing": _DATE,
    "date_parsing": _DATE,
    "date_type": _DATE,
    "dict_type": _MAP,
    "enum": "it must be {expected}",
    "finite_number": "it must be a number that is finite",
    "float_parsing": _NUMBER,
    "float_type": _NUMBER,
    "greater_than": "it must be more than {gt:.12g}",
    "greater_than_equal": "it must be at least {ge:.12g}",
    "int_from_float": _WHOLE_NUMBER,
    "int_parsing": _WHOLE_NUMBER,
    "int_parsing_size": _WHOLE_NUMBER,
    "int_type": _WHOLE_NUMBER,
    "less_than": "it must be less than {lt:.12g}",
    "less_than_equal": "it must be at most {le:.12g}",
    "list_type": _LIST,
    "literal_error": "it must be {expected}",
    "mapping_type": _MAP,
    "model_attributes_type": _MAP,
    "model_type": _MAP,
    "none_required": "it must be left out",
    "string_pattern_mismatch": "it must match {pattern}",
    "string_too_long": "it may have {max_length:.12g} characters at most",
    "string_too_short": "it must have {min_length:.12g} characters at least",
    "string_type": "a text is due: put it in quotes",
    "too_long": "it may have {max_length:.12g} entries at most, and has {actual_length:.12g}",
    "too_short": "it must have {min_length:.12g} entries at least",
    "tuple_type": _LIST,
}
_EMPTY = {
    "string_too_short": "it must not be empty",
    "too_short": "it must have one entry at least",
}
_SHAPES = (_LIST, _MAP)


def said_of(details: Any) -> tuple[Cause, str]:
    """Return the cause and what a value must be, of one entry of pydantic's list of errors."""
    kind, context = details["type"], details.get("ctx", {})
    text = _EMPTY.get(kind) if context.get("min_length") == 1 else None
    text = text or _WORDS.get(kind)
    if text is None:
        message = str(details["msg"]).removeprefix("Value error, ").removeprefix("Input should ")
        return "bad-value", message[0].lower() + message[1:]
    return "wrong-shape" if text in _SHAPES else "bad-value", text.format(**context)
