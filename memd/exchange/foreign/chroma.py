"""Documents of a ChromaDB folder, from the tables of its `chroma.sqlite3` (ChromaDB 0.4 and later).

A collection's texts and metadata lie in the rows of its segment with scope METADATA: a row of `embeddings` for each
document, a row of `embedding_metadata` for each key; the text is the key `chroma:document`.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

from memd.exchange.foreign.databases import Database

FILE = "chroma.sqlite3"
_TEXT = "chroma:document"
_TYPED = ("string_value", "int_value", "float_value", "bool_value")
_NEEDED = {
    "collections": ("id", "name"),
    "segments": ("id", "scope", "collection"),
    "embeddings": ("id", "segment_id", "embedding_id"),
    "embedding_metadata": ("id", "key", "string_value", "int_value", "float_value"),
}


class Document(NamedTuple):
    """A document: its id, its text (None where it has none), its metadata."""

    id: str
    text: str | None
    metadata: dict[str, Any]


def collections(database: Database) -> frozenset[str]:
    """The names of its collections; none where it isn't ChromaDB's."""
    if not database.tables >= _NEEDED.keys():
        return frozenset()
    return frozenset(row["name"] for row in database.rows("collections", ["name"], order="name"))


def documents(database: Database, collection: str) -> Iterator[Document]:
    """The documents of a collection, in the order of their writing.

    Raises:
        MalformedFile: it is damaged, or of a version of other tables.
    """
    for table, columns in _NEEDED.items():
        database.need("ChromaDB", table, *columns)
    have = database.columns("embedding_metadata")
    typed = [column if column in have else "NULL" for column in _TYPED]
    rows = database.query(
        "table embeddings",
        f"SELECT e.id, e.embedding_id, m.key, {', '.join(typed)} FROM embeddings AS e"
        " JOIN segments AS s ON s.id = e.segment_id AND s.scope = 'METADATA'"
        " JOIN collections AS c ON c.id = s.collection AND c.name = ?"
        " LEFT JOIN embedding_metadata AS m ON m.id = e.id ORDER BY e.id",
        (collection,),
    )
    for _, parts in groupby(rows, key=itemgetter(0)):
        yield _document(list(parts))


def _document(parts: list[tuple[Any, ...]]) -> Document:
    metadata: dict[str, Any] = {}
    for _, _, key, *values, truth in parts:
        value = next((value for value in values if value is not None), None)
        metadata[str(key)] = bool(truth) if value is None and truth is not None else value
    text = metadata.pop(_TEXT, None)
    return Document(str(parts[0][1]), None if text is None else str(text), metadata)
