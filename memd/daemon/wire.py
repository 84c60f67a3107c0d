"""What travels, as the thin client needs it: JSON and errors.

JSON is done by the C halves of the standard library's ``json``, without its import, which pulls in ``re`` and
takes longer than a round trip over the socket. The scanner and the encoder it wraps live in the ``_json``
extension and need nothing else. Where that lacks them (another interpreter, a later CPython), ``json`` itself is
used; both ways give the same values.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from memd.errors import MemdError


class _Plain:
    """What the C scanner wants to be told: the defaults of ``json.JSONDecoder``."""

    strict = True
    object_hook = None
    object_pairs_hook = None
    array_hook = None
    parse_float = float
    parse_int = int
    parse_constant = float


def _refuse(value: object) -> object:
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _codec() -> "tuple[Callable[[Any], str], Callable[[str], Any]]":
    """The pair (dumps, loads)."""
    try:
        from _json import encode_basestring, make_encoder, make_scanner

        encode = make_encoder(None, _refuse, encode_basestring, None, ":", ",", False, False, False)
        scan = make_scanner(_Plain)  # type: ignore[arg-type]  # any object with these attributes
        encode({}, 0)
    except (ImportError, AttributeError, TypeError):  # pragma: no cover - not on CPython 3.11 to 3.14
        import json

        return lambda value: json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False), json.loads

    def dumps(value: "Any") -> str:
        """Compact JSON of plain values. Raises TypeError or ValueError for what has no JSON form."""
        return "".join(encode(value, 0))

    def loads(text: str) -> "Any":
        """The value of one JSON text without white space around it. Raises ValueError."""
        try:
            value, end = scan(text, 0)
        except (StopIteration, SystemError):  # the scanner reports some errors through json.decoder, which isn't loaded
            raise ValueError("not JSON") from None
        if end != len(text):
            raise ValueError("more than one JSON value")
        return value

    return dumps, loads


dumps, loads = _codec()


def error_data(error: "MemdError") -> "dict[str, object]":
    """An error as it travels: code, message, hint, exit_code."""
    return {"code": error.code, "message": error.message, "hint": error.hint, "exit_code": error.exit_code}


def error_from(data: "dict[str, Any]") -> "MemdError":
    """The error that `error_data` described, of the type in `memd.errors` that has its code."""
    from memd import errors

    kinds: dict[str, type[errors.MemdError]] = {
        kind.code: kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, errors.MemdError)
    }
    return kinds.get(data.get("code", ""), errors.MemdError)(str(data.get("message", "")), str(data.get("hint", "")))
