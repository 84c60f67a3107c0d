"""The methods by which notes are taken in and watched."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import msgspec

from memd.api import Memory
from memd.errors import BadInput
from memd.ingest.notes import ReadNote
from memd.ingest.taking import Taken
from memd.ingest.watcher import Watcher
from memd.model import GLOBAL_SCOPE, Watch, WatchState

Kind = Literal["notes", "git"]
Table = dict[str, tuple[type[msgspec.Struct], Callable[[Any], msgspec.Struct]]]


class TakeParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Params of `notes_take`: files as they were read."""

    notes: list[ReadNote]
    scope: str = GLOBAL_SCOPE


class SweepParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Params of `notes_sweep`: of what lies at and under `root`, these notes were found, and this couldn't be read."""

    root: str
    found: list[str]
    unknown: list[str] = []
    scope: str = GLOBAL_SCOPE


class TakenResult(msgspec.Struct, frozen=True):
    """Result of `notes_take` and `notes_sweep`."""

    taken: Taken
    degraded: tuple[str, ...]


class WatchParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Params of `watch_add`."""

    path: str
    kind: Kind = "notes"
    scope: str = GLOBAL_SCOPE
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    poll: bool = False


class UnwatchParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Params of `watch_remove`. `forget` also puts out of sight what was taken in."""

    path: str
    kind: Kind = "notes"
    forget: bool = False


class WatchResult(msgspec.Struct, frozen=True):
    """Result of `watch_add`."""

    watch: WatchState


class UnwatchResult(msgspec.Struct, frozen=True):
    """Result of `watch_remove`: what was watched, and how many memories were put out of sight."""

    watch: Watch
    retired: int


class WatchListResult(msgspec.Struct, frozen=True):
    """Result of `watch_list`."""

    watches: list[Watch]


class WatchStatusParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Params of `watch_status`."""


class WatchStatusResult(msgspec.Struct, frozen=True):
    """Result of `watch_status`."""

    watches: list[WatchState]


def table(memory: Memory, watcher: Watcher | None) -> Table:
    """The methods. Without a watcher, as without a daemon, notes can be taken in but not watched."""

    def watching() -> Watcher:
        if watcher is None:
            raise BadInput("Only the daemon watches.", "Do it without --no-daemon.")
        return watcher

    def take(params: TakeParams) -> TakenResult:
        return TakenResult(memory.notes.take(params.notes, params.scope), memory.degraded)

    def sweep(params: SweepParams) -> TakenResult:
        taken = memory.notes.sweep(params.scope, params.root, params.found, params.unknown)
        return TakenResult(taken, memory.degraded)

    def add(params: WatchParams) -> WatchResult:
        given = {name: value for name, value in msgspec.structs.asdict(params).items() if name != "path"}
        return WatchResult(watching().add(params.path, **given))

    def remove(params: UnwatchParams) -> UnwatchResult:
        watch, taken = watching().remove(params.path, kind=params.kind, forget=params.forget)
        return UnwatchResult(watch, taken.retired)

    def list_(params: WatchStatusParams) -> WatchListResult:
        return WatchListResult(watching().watched())

    def status(params: WatchStatusParams) -> WatchStatusResult:
        return WatchStatusResult(watching().status())

    return {
        "notes_take": (TakeParams, take),
        "notes_sweep": (SweepParams, sweep),
        "watch_add": (WatchParams, add),
        "watch_remove": (UnwatchParams, remove),
        "watch_list": (WatchStatusParams, list_),
        "watch_status": (WatchStatusParams, status),
    }
