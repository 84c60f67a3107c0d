"""The methods that agents' hooks and `ingest --transcripts` ask."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from memd.agents.hooks import Hooks, SessionReader, take
from memd.api import Memory
from memd.errors import BadInput


class HookParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Params of `hook`: which agent (empty: the payload tells), which event, its payload as the agent wrote it, and the
    folder that the hook was run in."""

    agent: str
    event: str
    payload: str
    folder: str = ""


class HookResult(msgspec.Struct, frozen=True):
    """Result of `hook`: what the hook is to print."""

    output: str


class TranscriptParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Params of `transcript_take`: the file of a past session."""

    path: str


class TranscriptResult(msgspec.Struct, frozen=True):
    """Result of `transcript_take`: whose session it was (agent empty: the file is no transcript), how many memories
    are new, with how many passages, and how many of its texts were there already."""

    agent: str
    session: str
    scope: str
    added: int
    known: int
    passages: int
    degraded: tuple[str, ...]


Table = dict[str, tuple[type[msgspec.Struct], Callable[[Any], msgspec.Struct]]]


def table(memory: Memory, reader: SessionReader | None) -> Table:
    """The methods over one store; `reader` reads transcripts in the background, where this process does so."""
    hooks = reader or Hooks(memory, lambda: None)

    def hook(params: HookParams) -> HookResult:
        return HookResult(hooks.handle(params.agent, params.event, params.payload, params.folder))

    def transcript_take(params: TranscriptParams) -> TranscriptResult:
        path = Path(params.path)
        if not path.is_absolute():
            raise BadInput(f"{params.path[:200]!r} is no absolute path", "give the whole path")
        taken = take(memory, path)
        gain = taken.gain
        about = (taken.agent, taken.session, taken.scope, gain.added, gain.known, gain.passages)
        return TranscriptResult(*about, memory.degraded)

    return {"hook": (HookParams, hook), "transcript_take": (TranscriptParams, transcript_take)}
