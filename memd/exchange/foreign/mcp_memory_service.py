"""mcp-memory-service: its SQLite database (`sqlite_vec.db`), its JSON export, and the ChromaDB folder of versions
before 8.

As of doobidoo/mcp-memory-service at 0462bb2 (10.30 and later: `storage/sqlite_vec.py`), 32e1d71 (migration
`008_add_graph_table`), 0dd2f54 (`011_memory_evolution_p1`), 1a0e770 (`storage/chroma.py`) and 4d92f2c (exporter 4.6.1:
`sync/exporter.py`). The table `memories` gained `deleted_at` with 8.64 and `superseded_by` with 10.30, `memory_graph`
came with 9; each may be missing. Backends elsewhere (Cloudflare, Milvus) come over by the JSON export.

Contradictions come over as memd's, other named relations as memories of their own. Associations without a name
(`related`, `shares_entity`) were worked out from likeness and stay behind, as memd works out its own; so do the beliefs
of version 12, which it derives. Tried with what 12.4.0 writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC
from pathlib import Path
from typing import Any

from memd.exchange.foreign import chroma, databases, files
from memd.exchange.foreign.databases import Database
from memd.exchange.foreign.faults import Refuse, bad, not_of, shown, unknown_form
from memd.exchange.foreign.shaping import digest, key, kind_of, moment, name, strings, tags, text
from memd.exchange.records import Origin, Record
from memd.model import Source
from memd.store.conflicts import RELATION

TOOL = "mcp-memory-service"
_FILES = ("sqlite_vec.db", chroma.FILE, f"chroma_db/{chroma.FILE}")
_COLLECTION = "memory_collection"
_COLUMNS = ("content_hash", "content", "tags", "memory_type", "metadata", "created_at", "created_at_iso", "store")
_CREATED = ("created_at", "timestamp_float", "timestamp", "created_at_iso", "timestamp_str")
_UNNAMED = frozenset({"", "related", "shares_entity"})
_MAIN = "default"  # the store of a memory that was put into no other
_OPPOSED = "contradicts"
_QUOTED = 200  # characters of a memory, in a relation
_LIVING = "deleted_at IS NULL"


def fits(path: Path) -> bool:
    """Whether it is a database or an export of mcp-memory-service, or a folder with a database."""
    file = files.given(path, *_FILES)
    if file is None:
        return False
    if databases.is_sqlite(file):
        return databases.looks_like(file, lambda database: bool(_form(database)))
    start = files.begins(file)
    return '"export_metadata"' in start and ('"exporter_version"' in start or '"source_machine"' in start)


def origin(path: Path) -> Origin:
    """The file. Raises BadInput where it is none of mcp-memory-service's."""
    file = files.given(path, *_FILES)
    if file is None or not fits(path):
        raise not_of(path, TOOL, f"it is neither {_FILES[0]}, nor a JSON export, nor a ChromaDB folder of it")
    return Origin(f"{TOOL}:{shown(file.absolute())}", TOOL, databases.digest(file))


def read(path: Path, refuse: Refuse) -> Iterator[Record]:
    """Its memories, and their named relations. Keeps the links in memory, not texts."""
    file = files.given(path, *_FILES)
    if file is None:
        raise not_of(path, TOOL, f"it has no {_FILES[0]}")
    source = shown(file.absolute())
    if not databases.is_sqlite(file):
        yield from _of_export(file, source, refuse)
        return
    with databases.snapshot(file) as database:
        match _form(database):
            case "sqlite":
                yield from _of_database(database, source, refuse)
            case "chroma":
                yield from _of_chroma(database, source, refuse)
            case _:
                raise unknown_form(file, TOOL, "there is neither a table memories with content_hash nor a collection")


def _form(database: Database) -> str:
    if {"content", "content_hash"} <= set(database.columns("memories")):
        return "sqlite"
    return "chroma" if _COLLECTION in chroma.collections(database) else ""


def _of_database(database: Database, source: str, refuse: Refuse) -> Iterator[Record]:
    links = _Links(database)
    order = "created_at, rowid" if "created_at" in database.columns("memories") else "rowid"
    for row in database.rows("memories", _COLUMNS, order=order, where=_living(database)):
        known = name(row["content_hash"])
        place = f"table memories, {known[:16] or 'a row without content_hash'}"
        yield from _record(row, source, place, refuse, replaced=links.replaced(known), against=links.against(known))
    yield from links.named(source)


def _living(database: Database, alias: str = "") -> str:
    return f"{alias}{_LIVING}" if "deleted_at" in database.columns("memories") else "1"


class _Links:
    """What a database says of its memories among each other, of those that live."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._replaced: dict[str, list[str]] = {}
        self._against: dict[str, list[str]] = {}
        if "superseded_by" in database.columns("memories"):
            pairs = database.query(
                "table memories",
                "SELECT new.content_hash, old.content_hash FROM memories AS old JOIN memories AS new"
                " ON new.content_hash = old.superseded_by AND new.id <> old.id"
                f" WHERE {_living(database, 'old.')} AND {_living(database, 'new.')} ORDER BY old.rowid",
            )
            for new, old in pairs:
                self._replaced.setdefault(name(new), []).append(name(old))
        self._named = "relationship_type" in database.columns("memory_graph")
        for one, how, other in self._pairs("a.content_hash", "b.content_hash"):
            if how == _OPPOSED:
                self._against.setdefault(name(one), []).append(name(other))

    def replaced(self, known: str) -> tuple[str, ...]:
        """What a memory stands in the place of."""
        return tuple(self._replaced.get(known, ()))

    def against(self, known: str) -> tuple[str, ...]:
        """What can't hold beside a memory."""
        return tuple(self._against.get(known, ()))

    def named(self, source: str) -> Iterator[Record]:
        """The other relations that have a name, each as a sentence that quotes both ends."""
        for one, how, other, first, second in self._pairs(
            "a.content_hash", "b.content_hash", f"substr(a.content, 1, {_QUOTED})", f"substr(b.content, 1, {_QUOTED})"
        ):
            if how == _OPPOSED:
                continue
            relation = name(how)
            yield Record(
                key=key("relation", digest(f"{one}\n{relation}\n{other}")),
                text=f"{_quoted(first)} {relation} {_quoted(second)}",
                kind="fact",
                tags=tags(RELATION, relation),
                source=Source(path=source),
            )

    def _pairs(self, one: str, other: str, *more: str) -> Iterator[tuple[Any, ...]]:
        if not self._named:
            return
        listed = ", ".join((one, "g.relationship_type", other, *more))
        rows = self._database.query(
            "table memory_graph",
            f"SELECT {listed} FROM memory_graph AS g JOIN memories AS a ON a.content_hash = g.source_hash"
            " JOIN memories AS b ON b.content_hash = g.target_hash"
            f" WHERE {_living(self._database, 'a.')} AND {_living(self._database, 'b.')} ORDER BY g.rowid",
        )
        for row in rows:
            if name(row[1]) not in _UNNAMED:
                yield row


def _quoted(words: object) -> str:
    """A memory's first line, or what was read of it."""
    plain = text(words)
    first = plain.strip().partition("\n")[0].strip()
    whole = first == plain.strip() and len(plain) < _QUOTED
    return f"“{first}”" if whole else f"“{first}…”"


def _of_chroma(database: Database, source: str, refuse: Refuse) -> Iterator[Record]:
    for document in chroma.documents(database, _COLLECTION):
        row = {"content_hash": document.id, **document.metadata, "content": document.text}
        yield from _record(row, source, f"collection {_COLLECTION}, {document.id[:16]}", refuse)


def _of_export(file: Path, source: str, refuse: Refuse) -> Iterator[Record]:
    seen = False
    for member in files.members(file):
        if member.key != "memories":
            continue
        seen = True
        if isinstance(member.value, dict):
            yield from _record(member.value, source, member.place, refuse, line=member.line)
        else:
            refuse(bad(f"{member.place}: it is not an object.", member.line))
    if not seen and '"memories"' not in files.begins(file):
        raise unknown_form(file, TOOL, "it has no list of memories")


def _record(
    row: Mapping[str, Any],
    source: str,
    place: str,
    refuse: Refuse,
    *,
    line: int = 0,
    replaced: tuple[str, ...] = (),
    against: tuple[str, ...] = (),
) -> Iterator[Record]:
    content = row.get("content")
    if not isinstance(content, str):
        refuse(bad(f"{place}: its content is no text.", line))
        return
    words = text(content)
    if not words.strip():
        return
    type_ = row.get("memory_type") or row.get("type")
    store = name(row.get("store"))
    labels = row["tags"] if "tags" in row else row.get("tags_str")
    yield Record(
        key=key(name(row.get("content_hash")) or digest(words)),
        text=words,
        kind=kind_of(type_, "note"),
        tags=tags(_labels(labels), text(type_), "" if store == _MAIN else store),
        source=Source(path=source),
        recorded_at=next((at for column in _CREATED if (at := moment(row.get(column), UTC))), None),
        supersedes=replaced,
        contradicts=against,
        line=line,
    )


def _labels(value: object) -> Iterable[str]:
    """Tags: a list, one written as JSON, or words with commas between them."""
    found = strings(value)
    return [part for one in found for part in one.split(",")]
