"""Values between the engine's protobuf form and plain Python, with what is secret or unknown kept apart."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.struct_pb2 import Struct, Value

from embedded.plugins.kubernetes.paths import Path
from embedded.plugins.kubernetes.quantities import whole

Object = dict[str, Any]

# Markers of the engine's wire format (pulumi sdk/go/common/resource/plugin/rpc.go and
# sdk/go/common/resource/sig/sig.go, 3.259).
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
_UNKNOWNS = frozenset(
    {
        UNKNOWN,
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",  # of type bool
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",  # number
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",  # array
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",  # object
    }
)
_SIGNATURE = "4dabf18193072939515e22adb298388d"
_CONFIDENTIAL = "1b47061264138c4ac30d75fd1eb44270"
# Field names that the SDKs cannot spell (pulumi-kubernetes 4.34, `x-kubernetes-preserve-unknown-fields` …).
_SDK_PREFIX, _WIRE_PREFIX = "x_kubernetes_", "x-kubernetes-"


@dataclass(frozen=True, kw_only=True)
class Properties:
    """Properties of a resource as plain values, and the paths of what is secret among them."""

    value: Object
    secrets: frozenset[Path] = field(default_factory=frozenset)


def decode(message: Struct) -> Properties:
    """Read properties sent by the engine; nulls in maps are dropped, whole numbers are integers."""
    secrets: set[Path] = set()
    value = _decode_map(message, (), secrets)
    return Properties(value=value, secrets=frozenset(secrets))


def encode(value: Object, secrets: Iterable[Path] = ()) -> Struct:
    """Write properties for the engine, with everything at or below `secrets` wrapped as secret."""
    return _encode_map(value, (), frozenset(secrets))


def is_unknown(value: Any) -> bool:
    """Whether a value is the marker of something that only the update will tell."""
    return isinstance(value, str) and value in _UNKNOWNS


def has_unknowns(value: Any) -> bool:
    """Whether anything in `value` is unknown."""
    if isinstance(value, dict):
        return any(has_unknowns(item) for item in value.values())
    if isinstance(value, list):
        return any(has_unknowns(item) for item in value)
    return is_unknown(value)


def _decode_map(message: Struct, path: Path, secrets: set[Path]) -> Object:
    result = {}
    for name, item in message.fields.items():
        key = (
            _WIRE_PREFIX + name[len(_SDK_PREFIX) :].replace("_", "-")
            if name.startswith(_SDK_PREFIX)
            else name
        )
        if item.WhichOneof("kind") != "null_value":
            result[key] = _decode(item, (*path, key), secrets)
    return result


def _decode(message: Value, path: Path, secrets: set[Path]) -> Any:
    match message.WhichOneof("kind"):
        case "struct_value":
            return _decode_struct(message.struct_value, path, secrets)
        case "list_value":
            values = message.list_value.values
            return [_decode(item, (*path, index), secrets) for index, item in enumerate(values)]
        case "number_value":
            return whole(message.number_value)
        case "bool_value" | "string_value" as kind:
            return getattr(message, kind)
        case _:
            return None


def _decode_struct(message: Struct, path: Path, secrets: set[Path]) -> Any:
    if _SIGNATURE not in message.fields:
        return _decode_map(message, path, secrets)
    if message.fields[_SIGNATURE].string_value != _CONFIDENTIAL:
        raise ValueError("assets, archives and references to resources have no place in an object")
    secrets.add(path)
    return _decode(message.fields["value"], path, secrets)


def _encode_map(value: Object, path: Path, secrets: frozenset[Path]) -> Struct:
    message = Struct()
    for name, item in value.items():
        key = name.replace("-", "_") if name.startswith(_WIRE_PREFIX) else name
        message.fields[key].CopyFrom(_encode(item, (*path, name), secrets))
    return message


def _encode(value: Any, path: Path, secrets: frozenset[Path]) -> Value:
    if path in secrets:
        wrapped = Struct()
        wrapped.fields[_SIGNATURE].string_value = _CONFIDENTIAL
        wrapped.fields["value"].CopyFrom(_encode(value, path, secrets - {path}))
        return Value(struct_value=wrapped)
    message = Value()
    if value is None:
        message.null_value = 0  # type: ignore[assignment]  # the stubs want the enum's own type
    elif isinstance(value, bool):
        message.bool_value = value
    elif isinstance(value, int | float):
        message.number_value = value
    elif isinstance(value, dict):
        message.struct_value.CopyFrom(_encode_map(value, path, secrets))
    elif isinstance(value, list):
        message.list_value.values.extend(
            _encode(item, (*path, index), secrets) for index, item in enumerate(value)
        )
    else:
        message.string_value = str(value)
    return message
