"""The temporal channel: opens when the query names a time, and speaks for the passages of that time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from memd.recall.calibration import Calibration
from memd.recall.fusion import Fused
from memd.recall.ranking import Voice, voice
from memd.recall.resident import Resident


def inside(spans: Sequence[tuple[int, int]], resident: Resident) -> NDArray[np.bool_]:
    """bool [n]: the passage's time lies in one of the spans [start, end), milliseconds since 1970."""
    found = np.zeros(len(resident), np.bool_)
    for start, end in spans:
        found |= (resident.time >= start) & (resident.time < end)
    return found


def speak(named: NDArray[np.bool_], base: Fused, numbers: Calibration) -> Voice:
    """Rank the candidates of the named time by what the words and vectors say of them."""
    chosen = named[base.slots]
    return voice("temporal", numbers.temporal, base.slots[chosen], base.scores[chosen])
