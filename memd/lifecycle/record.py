"""Evidence that comes in: uses, verdicts, pins. A memory that is used comes back to active at once."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from pysqlite3 import dbapi2 as sqlite3

from memd.lifecycle import tiers, vitality
from memd.model import Source
from memd.store import changes, journal, uses, vectors
from memd.store.uses import Life, NewUse

_decode_source = msgspec.json.Decoder(Source).decode


def use(db: sqlite3.Connection, new: Sequence[NewUse], now_ms: int) -> None:
    """Write uses down and bring each memory's stability, tier and due time up to date, in the open transaction.

    A memory that helped and had faded joins the encoding queue: its vector is made again from its text.
    """
    told = [it for it in new if it.verdict != "restated"]  # a restatement has an entry of its own
    journal.append(db, now_ms, [("use", it.memory, _told(it)) for it in told])
    count(db, new, now_ms)


def count(db: sqlite3.Connection, new: Sequence[NewUse], now_ms: int) -> None:
    """As `use`, for uses that stand in a journal already: that of the store they come from."""
    uses.add(db, new)
    memories = list(dict.fromkeys(one.memory for one in new))
    helped = {one.memory for one in new if one.verdict != uses.USELESS}
    histories = uses.history(db, memories)
    now = [
        vitality.reckoned(_woken(life, now_ms) if life.memory in helped else life, histories[life.memory])
        for life in _put_back(db, memories, helped)
    ]
    uses.put(db, now)
    changes.append(db, memories)


def _told(it: NewUse) -> dict[str, object]:
    """What the journal says of a use."""
    return {"verdict": it.verdict, "source": {"who": it.who, "via": it.via, "session": it.session}}


def restated(db: sqlite3.Connection, said: Sequence[tuple[int, str]], now_ms: int) -> None:
    """Count it as a use of memories that their text was given again.

    Args:
        said: memories (by seq), and from where it came, as `Source` in JSON.
    """
    if said:
        sources = [(seq, _decode_source(source)) for seq, source in said]
        use(db, [NewUse(seq, now_ms, "restated", it.who, it.via, it.session) for seq, it in sources], now_ms)


def pin(db: sqlite3.Connection, memories: Sequence[int], now_ms: int, *, pinned: bool = True) -> None:
    """Keep memories from fading, and bring back those that have faded; or let them fade again from their last use."""
    histories = uses.history(db, memories)
    lives = _put_back(db, memories, set(memories) if pinned else set())
    now = [(_woken(life, now_ms) if pinned else life)._replace(pinned=pinned) for life in lives]
    uses.put(db, [vitality.reckoned(life, histories[life.memory]) for life in now])
    changes.append(db, memories)
    journal.append(db, now_ms, [(journal.PIN if pinned else journal.UNPIN, memory, {}) for memory in memories])


def _put_back(db: sqlite3.Connection, memories: Sequence[int], awake: set[int]) -> list[Life]:
    """The lives of these memories; the vectors of those of `awake` that have faded are queued to be made again."""
    lives = uses.lives(db, memories)
    if faded := [life.memory for life in lives if life.memory in awake and life.tier != tiers.ACTIVE]:
        vectors.requantize(db, faded, tiers.ACTIVE)
    return lives


def _woken(life: Life, now_ms: int) -> Life:
    return life if life.tier == tiers.ACTIVE else life._replace(tier=tiers.ACTIVE, tier_at=now_ms)
