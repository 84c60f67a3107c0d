"""One recall from query to hits: analyse, let the channels propose and rank, fuse, spread, fetch, explain."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray
from pysqlite3 import dbapi2 as sqlite3

from memd.clock import system_clock, to_ms
from memd.model import CHANNELS, Channel, Query, Recollection
from memd.quantize.matching import Matcher
from memd.recall import entity, lexical, past, relevance, semantic, spreading, temporal, vitals
from memd.recall.analysis import Analysis, analyse
from memd.recall.calibration import Calibration, fitted
from memd.recall.explain import Stopwatch, contributions, trace
from memd.recall.fusion import Fused, fuse
from memd.recall.ranking import Scores, Slots, Voice, best, distinct
from memd.recall.resident import Resident, Visible
from memd.recall.results import Found, Passage, hits, passages
from memd.store import links, memories
from memd.store.connection import Store
from memd.text.words import STOP_WORDS

if TYPE_CHECKING:
    from memd.encoder import Encoder, Encoding

MISSED = 5  # memories that just missed, in the trace
_IN_PASSING = 1  # more words than this beside it, and a person or a time is only mentioned
_FIRST_FOR_WORDS = 3  # passages of the lexical ranking whose silence would be a guess, had they no vector


class Ranked(NamedTuple):
    """The pool of a recall, ranked.

    Attributes:
        fused: base scores and ranks of every voice over the pool.
        voices: the voices, in the order of `fused.ranks`.
        gains: float64 [n], what spreading added.
        totals: float64 [n].
        k: the constant of reciprocal rank that the shares are made with.
        spread: the weight of spreading.
        alive: float64 [n], what each total was multiplied by for its uses and its tier; None where nothing has any.
    """

    fused: Fused
    voices: list[Voice]
    gains: Scores
    totals: Scores
    k: float
    spread: float
    alive: Scores | None = None


class Recaller:
    """Answers queries over one store. Safe for many threads.

    Searches take turns. A query is encoded while its words are searched or, when others search, before its turn.

    Args:
        store: an open store.
        encoder: None when there is none; recall is lexical then.
        why_no_encoder: said in `Recollection.degraded` when there is no encoder.
        clock: what relative times resolve against when the query brings no `now`.
        numbers: the setting of the ranking.
    """

    def __init__(
        self,
        store: Store,
        encoder: Encoder | None,
        why_no_encoder: str = "",
        *,
        clock: Callable[[], datetime] = system_clock,
        numbers: Calibration | None = None,
    ) -> None:
        self._store = store
        self._encoder = encoder
        self._why_no_encoder = why_no_encoder
        self._clock = clock
        self._numbers = numbers or fitted()
        self._resident = Resident()
        self._matcher = Matcher() if encoder is not None else None
        self._lock = threading.Lock()
        self._beside = ThreadPoolExecutor(1, thread_name_prefix="word-search")

    def recall(self, query: Query) -> Recollection:
        """Answer `query`, which must have passed `check_query`. The same store, query and `now` give the same answer.

        Raises:
            StoreUnusable: the store can't be read.
        """
        watch = Stopwatch()
        now = self._clock()
        with self._turn(query) as early, self._store.reading() as db:
            search = _Search(db, self._resident, self._matcher, self._numbers, query, now, watch)
            encoding = self._begin(search, query, early)
            watch.lap("encode")
            ranked = search.finish(self._question(encoding, query))
            degraded = self._degraded(search.visible)
            answerable = self._answerable(search, ranked)
            found, withheld = self._judge(query, search, ranked, answerable)
            if not query.explain:
                found = found.head(query.limit)
            watch.lap("group")
            texts = self._read(db, found.slots)
            watch.lap("fetch")
        reasons = contributions(ranked, found.places) if query.explain else None
        return Recollection(
            query=query.text,
            hits=hits(texts[: query.limit], found, reasons),
            degraded=degraded,
            answerable=answerable,
            withheld=withheld,
            trace=trace(search.asked, ranked, search.why, found, texts, query.limit, watch) if query.explain else None,
        )

    def close(self) -> None:
        """Stop the thread; the recaller is not to be used afterwards."""
        self._beside.shutdown()

    @contextmanager
    def _turn(self, query: Query) -> Iterator[Encoding | None]:
        """Wait for one's turn to search; the query is encoded meanwhile, when others search."""
        encoding = None
        if not self._lock.acquire(blocking=False):
            encoding = self._encode(query)
            self._lock.acquire()
        try:
            yield encoding
        finally:
            self._lock.release()

    def _encode(self, query: Query) -> Encoding | None:
        if self._encoder is None or "semantic" in query.without:
            return None
        return self._encoder.encode_query(query.text)

    def _begin(self, search: _Search, query: Query, encoding: Encoding | None) -> Encoding | None:
        """Search what needs no vector and encode the query, unless it is already, beside it.

        The encoder runs in this thread: what takes longest starts at once, and nobody has to be woken after it.
        """
        if encoding is not None or self._encoder is None or "semantic" in query.without:
            search.begin()
            return encoding
        begun = self._beside.submit(search.begin)
        try:
            encoding = self._encode(query)
        finally:
            failed = begun.exception()  # waits: it uses the snapshot
        if failed is not None:
            raise failed
        return encoding

    def _question(self, encoding: Encoding | None, query: Query) -> semantic.Question | None:
        if encoding is None or not len(encoding.ids) or self._encoder is None:
            return None
        if self._resident.encoder != self._encoder.fingerprint:
            return None
        encoding = encoding.without_marks(query.text)
        stops = semantic.stop_tokens(encoding, query.text, STOP_WORDS)
        return semantic.question(encoding, stops, self._resident, self._numbers)

    def _degraded(self, visible: Visible) -> tuple[str, ...]:
        if self._encoder is None:
            return (self._why_no_encoder or "There is no encoder; recall goes by words alone.",)
        if self._resident.encoder not in ("", self._encoder.fingerprint):
            return ("The store's vectors are another encoder's; recall goes by words until they are made anew.",)
        if waiting := visible.waiting:
            noun = "passage waits" if waiting == 1 else "passages wait"
            return (f"{waiting} {noun} for a vector and can be found by words alone.",)
        return ()

    @property
    def _calibrated(self) -> bool:
        """Whether similarities lie where the fitted numbers expect them."""
        return self._encoder is not None and self._encoder.fingerprint == self._numbers.encoder

    def _found(self, ranked: Ranked, limit: int) -> Found:
        """The best passage of each memory, best memory first: `limit` of them and some that just missed."""
        slots = ranked.fused.slots
        order = np.argsort(-ranked.totals, kind="stable")
        first: dict[int, int] = {}
        for memory, place in zip(self._resident.memory[slots[order]].tolist(), order.tolist(), strict=True):
            first.setdefault(memory, place)
            if len(first) == limit + MISSED:
                break
        places = np.array(list(first.values()), np.int64)
        seen = relevance.evidence(ranked.voices, ranked.fused, ranked.totals, places)
        if not self._calibrated:
            seen[:] = np.nan
        return Found(places, slots[places], ranked.totals[places], relevance.probability(seen, self._numbers))

    def _read(self, db: sqlite3.Connection, slots: Slots) -> list[Passage]:
        """The passages of slots, read from the store."""
        stored = memories.fetch(db, self._resident.memory[slots].tolist())
        return passages(stored, self._resident.start[slots].tolist(), self._resident.stop[slots].tolist())

    def _judge(self, query: Query, search: _Search, ranked: Ranked, answerable: float | None) -> tuple[Found, int]:
        """Leave out what is too weak; how many of the first `limit` that were. What isn't known to be weak stays."""
        found = self._found(ranked, query.limit)
        if query.min_relevance is not None:
            kept = found.select(~(found.relevance < query.min_relevance))
        elif answerable is not None and answerable < self._numbers.abstain_below and not search.by_name():
            kept = found.head(0)
        else:
            return found, 0
        return kept, min(len(found.places), query.limit) - min(len(kept.places), query.limit)

    def _answerable(self, search: _Search, ranked: Ranked) -> float | None:
        """The probability that something visible answers the query; None where that isn't known."""
        near = relevance.nearness(ranked.voices)
        if near is None or search.visible.waiting or not self._calibrated:
            return None
        of_a_speaker = self._resident.talks(search.speakers, ranked.fused.slots)
        return round(relevance.answerable(near, self._numbers, of_a_speaker=of_a_speaker), 4)


class _Search:
    """The channels of one recall, each over the same snapshot."""

    def __init__(
        self,
        db: sqlite3.Connection,
        resident: Resident,
        matcher: Matcher | None,
        numbers: Calibration,
        query: Query,
        now: datetime,
        watch: Stopwatch,
    ) -> None:
        self._db, self._resident, self._matcher = db, resident, matcher
        self._query, self._now, self._watch = query, now, watch
        self._open = frozenset(CHANNELS).difference(query.without)
        if matcher is None or "semantic" not in self._open:  # nothing is added to what words find
            numbers = replace(numbers, lexical_depth=max(numbers.lexical_depth, query.limit + MISSED))
        self._numbers = numbers
        self.why: dict[Channel, str] = dict.fromkeys(query.without, "left out")

    def begin(self) -> None:
        """What needs no encoded query: take it apart, catch up, search words, times and names, lay out what they found.

        Sets `asked`, the query taken apart, `speakers`, those that it names, and `visible`, what it may see.
        """
        self.asked: Analysis = analyse(self._query, self._now)
        self._watch.lap("analyse")
        self._resident.refresh(self._db)
        self.speakers = self._resident.speakers(self.asked.terms)
        seen = self._resident.visible if self._query.as_of is None else partial(past.visible, resident=self._resident)
        self.visible = seen(self._db, self._query)
        self._watch.lap("refresh")
        self._words = self._lexical()
        self._named = self._in_time()
        self._who = self._mentions()
        self._known = [self._words.slots]
        if self.visible.gone is not None and "semantic" in self._open:
            self._known.append(self.visible.gone[self._resident.encoded[self.visible.gone]])
        if self._who is not None:
            self._known.append(self._who.head(self._numbers.dense_depth))
        self._watch.lap("gated")
        early = np.concatenate(self._known) if "semantic" in self._open and self._matcher else np.zeros(0, np.int64)
        self._sheet = semantic.lay_out(self._db, early, self._resident)
        self._watch.lap("codes")

    def by_name(self) -> bool:
        """Whether the store has what the query names: words, a thing, a time. Who looks for those must find them.

        People and times are named in passing, too: they count where the query says little else. How near a dormant
        passage comes in meaning, nobody knows any more: one among the first for its words counts.
        """
        if not self._resident.encoded[self._words.slots[:_FIRST_FOR_WORDS]].all():
            return True
        if self._who is not None and not self.asked.things().isdisjoint(self._who.names):
            return True
        if (self._who is not None or self._named is not None) and len(self.asked.rest()) <= _IN_PASSING:
            return True
        return relevance.holds_all_words(self._db, self.asked.terms, self.visible.scopes)

    def finish(self, question: semantic.Question | None) -> Ranked:
        """Candidates of every channel, then every voice over all of them, then fusion and spreading."""
        numbers, resident = self._numbers, self._resident
        like = self._likeness(question)
        pool = self._pool(like)
        self._watch.lap("candidates")
        voices = [self._words] if "lexical" in self._open else []
        matches, late = np.zeros((len(pool), 0), np.float32), np.zeros(len(pool))
        if question is not None and like is not None and self._matcher is not None:
            heard = semantic.hear(self._db, question, like, pool, self._sheet, resident, self._matcher, numbers)
            voices += [*heard.voices, *lexical.stand_in(self._words, heard.voices, resident.encoded)]
            matches, late = heard.matches, heard.late
        self._watch.lap("semantic")
        base = fuse(voices, numbers.k, pool)
        gated: list[Voice] = []
        if (of_a_time := self._of_a_time(base)) is not None:
            gated.append(temporal.speak(of_a_time, base, numbers))
        if self._who is not None:
            gated.append(entity.speak(self._who, base, numbers))
        voices += gated
        fused = fuse(voices, numbers.k, pool) if gated else base
        gains = np.zeros(len(pool))
        if "spreading" in self._open:
            gains = spreading.gains(fused.slots, fused.scores, matches, late, self.speakers, resident, numbers)
            gains += self._along_links(fused.slots, fused.scores + gains)
            self.why["spreading"] = (
                "episodes, replies, speakers and links" if gains.any() else "no candidate has any link"
            )
        self._watch.lap("fuse")
        totals = fused.scores + gains
        now = None if self._query.as_of else to_ms(self._now)  # how alive all was then, nobody knows
        alive = None if now is None else resident.vitals.factors(resident.memory[fused.slots], now)
        if alive is not None:
            alive = vitals.lifted(fused, voices, totals, alive)
            totals = totals * alive
        return Ranked(fused, voices, gains, totals, numbers.k, numbers.episode, alive)

    def _along_links(self, slots: Slots, totals: Scores) -> Scores | float:
        if links.is_empty(self._db):
            return 0.0
        head = slots[np.argsort(-totals, kind="stable")[: spreading.LINKING]]
        edges = links.linked(self._db, self._resident.memory[head].tolist())
        return spreading.along_links(slots, totals, edges, self._resident)

    def _lexical(self) -> Voice:
        if "lexical" not in self._open:
            return Voice("lexical", 0.0, np.zeros(0, np.int64), np.zeros(0))
        found = lexical.search(self._db, self.asked.terms, self._resident, self.visible, self._numbers)
        if self.visible.gone is not None:
            found = past.with_forgotten(
                self._db, found, self.asked.terms, self.visible.gone, self._resident, self._numbers
            )
        self.why["lexical"] = "words: " + " ".join(self.asked.terms) if self.asked.terms else "no words in the query"
        self._watch.lap("lexical")
        return found

    def _likeness(self, question: semantic.Question | None) -> semantic.Likeness | None:
        if "semantic" not in self._open:
            return None
        if question is None:
            self.why["semantic"] = "no encoder"
            return None
        self.why["semantic"] = f"{len(question.weights)} tokens"
        return semantic.likeness(question, self._resident, self._numbers)

    def _in_time(self) -> NDArray[np.bool_] | None:
        if "temporal" not in self._open:
            return None
        if not self.asked.times:
            self.why["temporal"] = "the query names no time"
            return None
        named = temporal.inside(self.asked.times, self._resident) & self.visible.slots
        self.why["temporal"] = f"{np.count_nonzero(named)} passages of the named time"
        return named if named.any() else None

    def _of_a_time(self, base: Fused) -> NDArray[np.bool_] | None:
        """Which candidates are of the time that the query names or, where it asks for one, name one."""
        if self._named is not None:
            return self._named[base.slots]
        if "temporal" not in self._open or self.asked.times or not self.asked.asks_for_time:
            return None
        naming = temporal.naming(self._db, base, self._resident, self._now)
        self.why["temporal"] = f"the query asks for a time: {np.count_nonzero(naming)} turns name one"
        return naming if naming.any() else None

    def _mentions(self) -> entity.Mentions | None:
        if "entity" not in self._open:
            return None
        if not self.asked.entities:
            self.why["entity"] = "the query names nothing"
            return None
        who = entity.mentions(self._db, self.asked.entities, self.visible.slots, self._resident)
        self.why["entity"] = "names: " + " ".join(self.asked.entities)
        return who if len(who.slots) else None

    def _pool(self, like: semantic.Likeness | None) -> Slots:
        """All candidates, ascending: those known before the query was encoded, and those it adds."""
        depth = self._numbers.dense_depth
        parts = list(self._known)
        if like is not None:
            parts += semantic.candidates(like, self.visible, depth)
        if self._named is not None:
            by = like.surround if like is not None else -np.arange(len(self._named), dtype=np.float32)
            parts.append(best(by, depth, np.flatnonzero(self._named)))
        return distinct(np.concatenate(parts))
