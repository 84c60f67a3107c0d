"""What recall has to beat: the usual methods, each complete in itself, over the same memories."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memd.bench.baselines.bm25 import BM25
from memd.bench.baselines.chance import Chance
from memd.bench.baselines.codes import read_codes
from memd.bench.baselines.dense import Dense
from memd.bench.baselines.late import Late
from memd.bench.baselines.overlap import Overlap
from memd.bench.baselines.rrf import ReciprocalRank
from memd.bench.rankers import Ranker
from memd.bench.stores import Stocked

if TYPE_CHECKING:
    from memd.encoder import Encoder


def baselines(store: Stocked, encoder: Encoder | None, seed: int) -> dict[str, Ranker]:
    """The rows by name. Without an encoder, those that need none."""
    bm25 = BM25(store.collection)
    rows: dict[str, Ranker] = {"random": Chance(store.collection, seed), "overlap": Overlap(store.collection)}
    rows["bm25"] = bm25
    if encoder is not None:
        codes = read_codes(store)
        dense = Dense(codes, encoder)
        rows |= {"dense": dense, "late": Late(codes, encoder), "rrf60": ReciprocalRank(bm25, dense)}
    return rows
