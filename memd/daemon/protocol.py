"""JSON-RPC 2.0, one object a line: the requests a daemon takes and the answers it gives, typed.

A connection begins with ``hello {client, protocol}``, which may be sent together with the first request. Client and
daemon must be of one version; ``shutdown`` alone is taken from any, so that a newer client can replace an older
daemon. Errors carry the code, message, hint and exit code of `memd.errors` under ``error.data``.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Literal, TypeVar

import msgspec

from memd.daemon.wire import error_data
from memd.errors import BadInput, MemdError, ProtocolError
from memd.exchange.records import Origin, Report
from memd.model import GLOBAL_SCOPE, NewMemory, Remembered, Source, StoredMemory, Verdict, Vitality

PROTOCOL = 1
MAX_LINE = 256 * 1024 * 1024  # bytes of one request
MAX_VALUES = 1_000_000  # of one request: each takes many times its bytes once it is read
MAX_WAIT = 3600.0  # seconds `wait_encoded` may take

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
SERVER_ERROR = -32000

Ids = Annotated[list[str], msgspec.Meta(max_length=10_000)]
Number = Annotated[int, msgspec.Meta(ge=0, le=(1 << 63) - 1)]  # what SQLite takes

Encryption = Literal["off", "key", "passphrase"]
Params = TypeVar("Params", bound=msgspec.Struct)
RequestId = int | str | None


class Request(msgspec.Struct, frozen=True):
    """One line from a client. Without an id it is a notification and gets no answer."""

    jsonrpc: Literal["2.0"]
    method: str
    id: RequestId | msgspec.UnsetType = msgspec.UNSET
    params: msgspec.Raw = msgspec.Raw(b"{}")


class Success(msgspec.Struct, frozen=True):
    """The answer to a request that was carried out."""

    id: RequestId
    result: object
    jsonrpc: str = "2.0"


class Failure(msgspec.Struct, frozen=True):
    """The answer to a request that was not."""

    id: RequestId
    error: FailureBody
    jsonrpc: str = "2.0"


class FailureBody(msgspec.Struct, frozen=True):
    """JSON-RPC's error object."""

    code: int
    message: str
    data: dict[str, object]


class Hello(msgspec.Struct, frozen=True):
    """Params of `hello`: the client's version and protocol."""

    client: str
    protocol: int


class Greeting(msgspec.Struct, frozen=True):
    """Result of `hello`."""

    version: str
    protocol: int
    home: str
    pid: int


class Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Params or result without content."""


class RememberParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Params of `remember`. `restate` false leaves a memory that is there already untouched (ingest)."""

    items: Annotated[list[NewMemory], msgspec.Meta(max_length=100_000)]
    restate: bool = True


class RememberResult(msgspec.Struct, frozen=True):
    """Result of `remember`, in the order of the items."""

    remembered: list[Remembered]
    degraded: tuple[str, ...]


class ShowParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Params of `show`: ids or prefixes of them."""

    ids: Ids


class ListParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Params of `list`. Newest first; `before` is the last id of the page before."""

    scope: str = GLOBAL_SCOPE
    kinds: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    source: str = ""
    since: datetime | None = None
    until: datetime | None = None
    forgotten: bool = False
    superseded: bool = False
    limit: int = 50
    before: str | None = None


class ListResult(msgspec.Struct, frozen=True):
    """Result of `list`; `total` counts what the filters keep, pages aside."""

    memories: list[StoredMemory]
    total: int


class MemoriesResult(msgspec.Struct, frozen=True):
    """Result of `forget`, `restore` and `tag`: the memories as they now are."""

    memories: list[StoredMemory]


class ShowResult(MemoriesResult, frozen=True):
    """Result of `show`: the memories, and how alive each one is."""

    lives: list[Vitality]


class HelpedParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Params of `use`: what helped, or with the verdict `useless` didn't; who says so, and after which recall."""

    ids: Ids
    verdict: Verdict = "useful"
    who: str = ""
    via: str = ""
    session: str = ""
    recall: str = ""


class PinParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Params of `pin`; `pinned` false lets them fade again."""

    ids: Ids
    pinned: bool = True


class LivesResult(msgspec.Struct, frozen=True):
    """Result of `use` and `pin`: how alive the memories now are."""

    lives: list[Vitality]


class LifecycleParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Params of `lifecycle`: the time to take as now."""

    now: datetime | None = None


class MaintainParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Params of `maintain`: the time to take as now; `dry_run` tells what would be done and changes nothing."""

    now: datetime | None = None
    dry_run: bool = False


class ForgetParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Params of `forget`. `dry_run` tells what would go and changes nothing."""

    ids: Ids
    dry_run: bool = False


class PurgeParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Params of `purge`. Without ids it goes on with what is left of earlier purges."""

    ids: list[str]
    dry_run: bool = False


class TagParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Params of `tag`."""

    ids: Ids
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()


class SupersedeParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Params of `supersede`: the id of the memory that no longer holds, and the fields of the one that does.

    Kind, scope and tags are the old one's where they aren't given.
    """

    old: str
    text: str
    why: str = ""
    kind: str | None = None
    scope: str | None = None
    tags: tuple[str, ...] | None = None
    source: Source = Source()
    event_at: datetime | None = None
    episode: str | None = None
    position: int | None = None


class HistoryParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Params of `history`: an id or a prefix of one."""

    id: str


class ContextParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Params of `context`: a scope, the tokens it may have, and the agent's session whose edits count first."""

    scope: str = GLOBAL_SCOPE
    budget: int = 1200
    session: str = ""


class TaskAddParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Params of `task_start` and `task_step`. A step without `under` is one of the task being worked on."""

    title: str
    scope: str = GLOBAL_SCOPE
    under: int | None = None
    needs: tuple[int, ...] = ()
    source: Source = Source()


class TaskDoneParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Params of `task_done`; without a number, of the task being worked on. `all`: its steps too."""

    number: int | None = None
    scope: str = GLOBAL_SCOPE
    note: str = ""
    all: bool = False
    source: Source = Source()


class TaskDropParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Params of `task_drop`."""

    number: int
    scope: str = GLOBAL_SCOPE
    note: str = ""
    source: Source = Source()


class TaskBlockParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Params of `task_block`: until the tasks `on` are finished, or where none is named until it is opened."""

    number: int | None = None
    scope: str = GLOBAL_SCOPE
    on: tuple[int, ...] = ()
    note: str = ""
    source: Source = Source()


class TaskOpenParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Params of `task_open`."""

    number: int
    scope: str = GLOBAL_SCOPE


class TaskListParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Params of `task_list`. `all` unfolds what is finished."""

    scope: str = GLOBAL_SCOPE
    all: bool = False


class AuditParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Params of `audit`: number and link of an entry that an earlier audit gave, which must still be there."""

    number: Number = 0
    link: str = ""


class ConflictsParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Params of `conflicts`."""

    scope: str = GLOBAL_SCOPE
    limit: int = 50


class GistsParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Params of `gists`: of a scope, the latest made first."""

    scope: str = GLOBAL_SCOPE
    limit: int = 50


class ResolveParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Params of `resolve`: `keep` stands in the place of `other`, or `both` hold."""

    keep: str
    other: str
    both: bool = False
    why: str = ""


class WaitParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Params of `wait_encoded`, in seconds."""

    timeout_s: float = 60.0


class WaitResult(msgspec.Struct, frozen=True):
    """Result of `wait_encoded`: how many passages are still without a vector."""

    pending: int


class UseParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Params of `use_encoder`: a name, as `memd model list` has it."""

    name: str


class ReindexParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Params of `reindex`. `every` takes also what has its vector already."""

    every: bool = False


class UnlockParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Params of `unlock`: the passphrase, or the key in hexadecimal digits; empty: look where keys are kept."""

    secret: Annotated[str, msgspec.Meta(max_length=4096)] = ""


class UnlockResult(msgspec.Struct, frozen=True):
    """Result of `unlock`: the store is open, and what opens it."""

    encryption: Encryption


class TakeInParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Params of `take_in`: some lines of an export, where they come from, which scope takes the place of which, and
    whether no more are to come."""

    origin: Origin
    lines: list[str]
    scopes: dict[str, str] = {}
    last: bool = False


class TakeInResult(msgspec.Struct, frozen=True):
    """Result of `take_in`: what became of these lines."""

    report: Report
    degraded: tuple[str, ...]


class Status(msgspec.Struct, frozen=True):
    """Result of `status`: the process, its use, what is still to be encoded, and what opens the store.

    While the store is `locked`, `unlock` and `shutdown` are the only other requests that are carried out.
    """

    pid: int
    version: str
    protocol: int
    home: str
    uptime_s: float
    rss_bytes: int
    peak_rss_bytes: int
    connections: int
    requests: int
    pending: int
    encoder: str
    degraded: tuple[str, ...]
    encryption: Encryption = "off"
    locked: bool = False


_decoder = msgspec.json.Decoder(Request)
_encoder = msgspec.json.Encoder()


def read_request(line: bytes | bytearray | memoryview) -> Request:
    """The request on a line.

    Raises:
        ProtocolError: it is not JSON, not a JSON-RPC 2.0 request, nested too deep, or of too many values.
    """
    if len(line) > MAX_VALUES and _has_too_many_values(line):
        raise ProtocolError(f"a request has more than {MAX_VALUES:,} values", "send fewer at a time")
    try:
        return _decoder.decode(line)
    except msgspec.ValidationError as error:
        raise ProtocolError(f"not a JSON-RPC 2.0 request: {error}", _HINT) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ProtocolError(f"not JSON: {error}", _HINT) from None


def _has_too_many_values(line: bytes | bytearray | memoryview) -> bool:
    """Whether there are more than `MAX_VALUES`. Counted by what parts them; only where texts may have that too, apart
    from the texts. In steps, so that others are answered meanwhile."""
    line = bytes(line)
    if _count_values(line) <= MAX_VALUES:
        return False
    count = end = 0
    for text in _STRING.finditer(line):
        count += _count_values(line[end : text.start()])
        if count > MAX_VALUES:
            return True
        end = text.end()
    return count + _count_values(line[end:]) > MAX_VALUES


def _count_values(line: bytes) -> int:
    return line.count(b",") + line.count(b"[") + line.count(b"{")


_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)


def read_params(raw: msgspec.Raw, kind: type[Params]) -> Params:
    """The parameters of a request as a struct.

    Raises:
        BadInput: something is missing, unknown or of another type; says where.
    """
    try:
        return msgspec.json.decode(raw, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadInput(f"bad parameters: {error}", "compare with schemas/") from None


def success(id_: RequestId, result: object) -> bytes:
    """The line that answers a request with its result."""
    return _encoder.encode(Success(id_, result)) + b"\n"


def failure(id_: RequestId, code: int, error: MemdError, **more: object) -> bytes:
    """The line that answers a request with an error; `more` goes beside the error's own data."""
    return _encoder.encode(Failure(id_, FailureBody(code, error.message, {**error_data(error), **more}))) + b"\n"


_HINT = "send one JSON-RPC 2.0 object a line"
