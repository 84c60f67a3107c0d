"""The temporal channel: opens when the query names a time, and speaks for the passages of that time.

Where the query asks for a time instead, it speaks for the turns of talk that name one, whichever that is: who talks
tells of other times, while of a note it is its own that says when.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from pysqlite3 import dbapi2 as sqlite3

from memd.recall.calibration import Calibration
from memd.recall.fusion import Fused
from memd.recall.ranking import Voice, voice
from memd.recall.resident import NOBODY, Resident
from memd.store import passages
from memd.text import times

HEAD = 20  # candidates that are read for a time: that takes about half a millisecond


def inside(spans: Sequence[tuple[int, int]], resident: Resident) -> NDArray[np.bool_]:
    """bool [n]: the passage's time lies in one of the spans [start, end), milliseconds since 1970."""
    found = np.zeros(len(resident), np.bool_)
    for start, end in spans:
        found |= (resident.time >= start) & (resident.time < end)
    return found


def naming(db: sqlite3.Connection, base: Fused, resident: Resident, now: datetime) -> NDArray[np.bool_]:
    """bool [n], over the candidates: of the best `HEAD`, those turns whose text names a time."""
    head = np.argsort(-base.scores, kind="stable")[:HEAD]
    slots = base.slots[head]
    turns = head[(resident.speaker[slots] != NOBODY) & (resident.episode[slots] > 0)]
    texts = passages.texts(db, resident.passage[base.slots[turns]].tolist())
    named = np.zeros(len(base.slots), np.bool_)
    named[turns] = [bool(times.parse(text, now)) for text in texts]
    return named


def speak(chosen: NDArray[np.bool_], base: Fused, numbers: Calibration) -> Voice:
    """Rank the chosen candidates, bool [n], by what the words and vectors say of them."""
    return voice("temporal", numbers.temporal, base.slots[chosen], base.scores[chosen])
