"""The living memories counted: by tier, with the bytes of their vectors, and by retention."""

from __future__ import annotations

from pysqlite3 import dbapi2 as sqlite3

from memd.clock import from_ms
from memd.lifecycle import retention, tiers, vitality
from memd.lifecycle.vitality import DAY_MS
from memd.model import LifecycleStatus, Maintenance, TierShare
from memd.store import uses

TENTHS = 10


def take(db: sqlite3.Connection, now_ms: int, correction: float, last: Maintenance | None) -> LifecycleStatus:
    """The status of the lifecycle at `now_ms`. O(memories)."""
    counts = dict.fromkeys(tiers.ORDER, 0)
    tenths = [0] * TENTHS
    pinned = used = 0
    for life in uses.living(db):
        counts[life.tier] += 1
        pinned += life.pinned
        used += life.used_at is not None
        tenths[min(TENTHS - 1, int(TENTHS * _retention(life, now_ms)))] += 1
    kept = uses.bytes_by_tier(db)
    next_due = uses.next_due(db)
    return LifecycleStatus(
        tiers=tuple(
            TierShare(vitality.name(bits), bits, counts[bits], *kept.get(bits, (0, 0))) for bits in tiers.ORDER
        ),
        float_bytes=uses.float_bytes(db),
        pinned=pinned,
        used=used,
        uses=uses.count_before(db, 1 << 62),
        due=uses.count_due(db, now_ms),
        next_due=None if next_due is None else from_ms(next_due),
        correction=round(correction, 4),
        retention=tuple(tenths),
        last=last,
    )


def _retention(life: uses.Life, now_ms: int) -> float:
    if life.pinned:
        return 1.0
    stability = life.stability or retention.initial(life.kind, life.importance)
    return retention.retention((now_ms - vitality.last_use(life)) / DAY_MS, stability)
