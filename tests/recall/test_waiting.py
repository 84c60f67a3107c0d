"""What waits for a vector is said; what has nothing to encode waits for nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from memd.api import Memory


@pytest.mark.parametrize("text", ["\u200b\u200b\u200d", "\ufeff", "\u0301\u0301", "\u2028 \u200b", "\x01\x02"])
def test_a_text_without_a_token_does_not_wait_for_ever(tmp_path: Path, text: str) -> None:
    with Memory.open(tmp_path) as memory:
        memory.remember("The deploy needs FFmpeg.")
        id_ = memory.remember(text).id
        for as_of in (None, datetime.now(UTC) + timedelta(days=1)):
            answer = memory.recall("deploy", as_of=as_of)
            assert answer.degraded == ()
            assert len(answer.hits) == 1
        assert memory.pending() == 0
        assert memory.show(id_).text == text
    with Memory.open(tmp_path) as memory:
        assert memory.recall("deploy").degraded == ()


def test_what_waits_is_counted_beside_it(tmp_path: Path) -> None:
    with Memory.open(tmp_path) as memory:
        memory.remember("\u200b")
        memory.recall("deploy")
    with Memory.open(tmp_path, encode="off") as memory:
        memory.remember("The deploy needs FFmpeg.")
        assert memory.recall("deploy").degraded == ("1 passage waits for a vector and can be found by words alone.",)
        memory.encode_pending()
        assert memory.recall("deploy").degraded == ()
