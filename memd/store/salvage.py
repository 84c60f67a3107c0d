"""Rows out of a damaged store: which page belongs to which table, and what can be read on it.

A page's table is known in one of three ways. From the schema and down the tree, as SQLite goes. By the file's map of
pages, which names the page above each, so that what lies below a damaged page isn't lost with it. And, where the schema
itself is lost, by the shape of the records: memd knows the tables that it makes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import NamedTuple

from pysqlite3 import dbapi2 as sqlite3

from memd.store import migrations, schema
from memd.store.pages import (
    CHILD,
    FREE,
    INDEX_INTERIOR,
    INDEX_LEAF,
    OVERFLOW,
    OVERFLOW_FIRST,
    ROOT,
    TABLE_INTERIOR,
    TABLE_LEAF,
    Cell,
    Pages,
    Value,
)

IDS = "sqlite_autoindex_memory_1"  # the index of the ids: what it still has tells which ones are lost
UNKNOWN = "(unknown)"
_BYTES = {"INTEGER": int, "TEXT": str, "BLOB": bytes}
_AGREE = 0.6  # of a tree's records that must look like a table's for it to be that one


class Shape(NamedTuple):
    """How the records of a table, or an index, look.

    Attributes:
        name: its name.
        columns: in the order that rows are given in.
        order: for each value of a record, its column.
        types: for each value of a record, what it may be.
        nullable: for each value of a record, whether it may be missing.
        alias: the column that is the row's number, as a place in the record; None where there is none.
        by_key: it is stored as an index is: its rows have no numbers.
        root: its first page in a store that was just made.
        least: how few values a record may have; columns that were added later are missing in older rows.
        table: its table's name, which is its own for a table.
    """

    name: str
    columns: tuple[str, ...]
    order: tuple[int, ...]
    types: tuple[str, ...]
    nullable: tuple[bool, ...]
    alias: int | None
    by_key: bool
    root: int
    least: int
    table: str

    def fits(self, cell: Cell) -> bool:
        """Whether a record may be one of these."""
        if (cell.rowid is None) != self.by_key or not self.least <= len(cell.values) <= len(self.types):
            return False
        return all(map(_may_be, cell.values, self.types, self.nullable))

    def row(self, cell: Cell) -> tuple[Value, ...]:
        """The record's values by column; those that it doesn't have are None."""
        found: list[Value] = [None] * len(self.columns)
        for place, value in enumerate(cell.values):
            found[self.order[place]] = cell.rowid if place == self.alias else value
        return tuple(found)


def _may_be(value: Value, type_: str, nullable: bool) -> bool:
    if value is None:
        return nullable
    if type_ == "REAL":
        return isinstance(value, int | float)
    return isinstance(value, _BYTES.get(type_, object))


@dataclass
class Read:
    """What became of a table.

    Attributes:
        rows: that were read.
        pages: of it that can't be read, as far as is known.
        cells: on pages that can, which don't add up.
    """

    rows: int = 0
    pages: int = 0
    cells: int = 0


@dataclass
class Salvage:
    """The tables of a damaged store.

    Args:
        pages: of the file.
        version: the store's format; 0 finds out.

    Attributes:
        version: the store's format.
        read: what became of each table, known once its rows were asked for; `UNKNOWN` has pages of none.
        has_schema: whether the schema could be read.
    """

    pages: Pages
    version: int = 0
    read: dict[str, Read] = field(default_factory=dict)
    has_schema: bool = True

    def __post_init__(self) -> None:
        self._roots = self._read_schema()
        self.version = self.version or self.pages.header.user_version
        if not 1 <= self.version <= schema.FORMAT:
            self.version = self._guessed_format()
        self.shapes = shapes(self.version)
        self._tables = self._assigned()

    def rows(self, table: str) -> Iterator[tuple[int | None, tuple[Value, ...]]]:
        """The rows of a table, each with its number, by the columns of `shapes`; those down the tree first.

        To be asked for once. A row may come twice, of a page and of what that page was before.
        """
        shape, read = self.shapes[table], self.read.setdefault(table, Read())
        for number in self._tables.get(table, ()):
            cells = list(self.pages.cells(number))
            whole = [cell for cell in cells if cell is not None and shape.fits(cell)]
            if cells and not whole:
                read.pages += 1  # it only looks like a page
            else:
                read.cells += len(cells) - len(whole)
            read.rows += len(whole)
            yield from ((cell.rowid, shape.row(cell)) for cell in whole)

    def is_table(self, name: str) -> bool:
        """Whether this is a table of the store's own, not an index or a part of one."""
        shape = self.shapes.get(name)
        return shape is not None and shape.table == name and not name.startswith("passage_")

    def may_lack(self, table: str) -> bool:
        """Whether rows of a table may be lost."""
        read, unknown = self.read.get(table, Read()), self.read.get(UNKNOWN, Read())
        return bool(read.pages or read.cells or unknown.pages or not self.has_schema)

    def table_of(self, number: int) -> str | None:
        """The table or index that a page holds records of; None where it is of none."""
        return next((name for name, numbers in self._tables.items() if number in numbers), None)

    # --- which page belongs where -----------------------------------------------------------------------

    def _read_schema(self) -> dict[int, str]:
        """The names of tables and indexes, by their roots."""
        found = {1: "sqlite_master"}
        whole = True
        for number in self.pages.below(1):
            if not self.pages.kind(number, self.pages.page(number)):
                whole = False
            for cell in self.pages.cells(number):
                match cell:
                    case Cell(_, (str(), str(name), str(), int(root), *_)) if root > 0:
                        found[root] = name
                    case None:
                        whole = False
        self.has_schema = whole and len(found) > 1
        return found

    def _guessed_format(self) -> int:
        """By the columns of what looks like memories, or else today's."""
        widest = 0
        wanted = {16: 1, 17: 2}
        looks = shapes(schema.FORMAT)["memory"]
        for number in range(2, self.pages.count + 1):
            if self.pages.kind(number, self.pages.page(number)) == TABLE_LEAF:
                fitting = (cell for cell in self.pages.cells(number) if cell and looks.fits(cell))
                widest = max([widest, *(len(cell.values) for cell in fitting)])
        return wanted.get(widest, schema.FORMAT)

    def _assigned(self) -> dict[str, list[int]]:
        """The pages of each table, those that are reached from its root first."""
        found: dict[str, list[int]] = {}
        reached: set[int] = {1}
        for root, name in self._roots.items():
            if root != 1:
                tree = [number for number in self.pages.below(root) if self._is_of_tree(number, root)]
                reached.update(tree)
                found.setdefault(name, []).extend(tree)
        groups: dict[int, list[int]] = {}
        for number in range(2, self.pages.count + 1):
            if number in reached or self.pages.is_map(number):
                continue
            page = self.pages.page(number)
            kind = self.pages.kind(number, page)
            above = self._root(number)
            if above == FREE_PAGE:
                continue
            if not kind:
                self._lose(number, above)
            elif kind in (TABLE_LEAF, INDEX_LEAF, INDEX_INTERIOR):
                if above in self._roots:
                    found.setdefault(self._roots[above], []).append(number)
                else:
                    groups.setdefault(above or -number, []).append(number)
        self._count_lost(found)
        for name, pages in self._by_shape(groups).items():
            found.setdefault(name, []).extend(pages)
        return found

    def _is_of_tree(self, number: int, root: int) -> bool:
        """Whether the map doesn't say otherwise of a page that a tree leads to: a damaged page may lead anywhere."""
        mapped = self._root(number)
        return mapped in (None, root)

    def _root(self, number: int) -> int | None:
        """The root of a page's tree, by the map; `FREE_PAGE` for one that isn't in use, None where that isn't known."""
        seen = set()
        while number not in seen:
            seen.add(number)
            entry = self.pages.entry(number)
            if entry is None:
                return None
            kind, parent = entry
            if kind == FREE:
                return FREE_PAGE
            if kind == ROOT:
                return number
            if parent == 1:
                return 1
            if kind in (OVERFLOW, OVERFLOW_FIRST, CHILD):
                number = parent
        return None

    def _lose(self, number: int, root: int | None) -> None:
        """Count a page that isn't one of a tree, if it should be, or holds the rest of a long record that is lost."""
        entry = self.pages.entry(number)
        if entry is not None and entry[0] in (OVERFLOW, OVERFLOW_FIRST) and self.pages.page(number) is not None:
            return
        if entry is None and (page := self.pages.page(number)) is not None and page.count(0) != len(page):
            return  # without the map nobody knows whether it should be one
        self.read.setdefault(self._roots.get(root or 0, UNKNOWN), Read()).pages += 1

    def _count_lost(self, found: dict[str, list[int]]) -> None:
        """Of the pages that trees lead to, those that can't be read."""
        for name, numbers in found.items():
            whole = []
            for number in numbers:
                kind = self.pages.kind(number, self.pages.page(number))
                if kind == 0:
                    self.read.setdefault(name, Read()).pages += 1
                elif kind != TABLE_INTERIOR:
                    whole.append(number)
            found[name] = whole

    def _by_shape(self, groups: dict[int, list[int]]) -> dict[str, list[int]]:
        """The tables of pages that nothing else tells of: groups by root, or (below zero) pages on their own."""
        likely = {root: self._likely(pages) for root, pages in groups.items()}
        guess = max(
            (created(self.version), vacuumed(self.version)),
            key=lambda roots: sum(roots.get(root, "") in names for root, names in likely.items()),
        )
        known = set(self._roots.values())
        found: dict[str, list[int]] = {}
        for root, voted in likely.items():
            names = {name for name in voted if root < 0 or name not in known}
            name = guess.get(root, "")
            if name not in names:
                name = next(iter(names)) if len(names) == 1 else UNKNOWN
            if name == UNKNOWN:
                if any(True for page in groups[root] for _ in self.pages.cells(page)):  # else it is an empty table
                    self.read.setdefault(UNKNOWN, Read()).pages += len(groups[root])
            else:
                found.setdefault(name, []).extend(groups[root])
        return found

    def _likely(self, pages: Sequence[int]) -> set[str]:
        """The tables and indexes whose records these may be."""
        votes: Counter[str] = Counter()
        cells = 0
        for number in pages:
            for cell in self.pages.cells(number):
                if cell is not None:
                    cells += 1
                    votes.update(name for name, shape in self.shapes.items() if shape.fits(cell))
        return {name for name, count in votes.items() if count >= _AGREE * cells}


FREE_PAGE = -1


# --- how memd's tables look ---------------------------------------------------------------------------


def shapes(version: int) -> dict[str, Shape]:
    """The tables and indexes of a store of this format."""
    with closing(_reference(version)) as db:
        rows = db.execute("SELECT type, name, rootpage FROM sqlite_master WHERE rootpage > 0").fetchall()
        return {name: (_table if type_ == "table" else _index)(db, name, root) for type_, name, root in rows}


def created(version: int) -> dict[int, str]:
    """Where the trees of a store begin that was just made: their names by root."""
    with closing(_reference(version)) as db:
        return dict(db.execute("SELECT rootpage, name FROM sqlite_master WHERE rootpage > 0").fetchall())


def vacuumed(version: int) -> dict[int, str]:
    """The same for a store that was written anew."""
    with closing(_reference(version)) as db:
        db.execute("COMMIT")
        db.execute("VACUUM")
        return dict(db.execute("SELECT rootpage, name FROM sqlite_master WHERE rootpage > 0").fetchall())


def _reference(version: int) -> sqlite3.Connection:
    """An empty store in memory, in an open transaction."""
    db = sqlite3.connect(":memory:", isolation_level=None)
    db.execute("PRAGMA auto_vacuum = INCREMENTAL")
    db.execute("BEGIN")
    migrations.begin(db, version)
    return db


def _table(db: sqlite3.Connection, name: str, root: int) -> Shape:
    rows = db.execute(f"PRAGMA table_xinfo('{name}')").fetchall()  # cid, name, type, notnull, default, pk, hidden
    columns = tuple(row[1] for row in rows)
    keys = [row for row in db.execute(f"PRAGMA index_list('{name}')") if row[3] == "pk"]
    without = db.execute("SELECT wr FROM pragma_table_list WHERE name = ?", (name,)).fetchone()[0]
    order = tuple(range(len(rows)))
    if without and keys:
        order = tuple(row[1] for row in db.execute(f"PRAGMA index_xinfo('{keys[0][1]}')") if row[1] >= 0)
    integers = [row[0] for row in rows if row[5] and row[2].upper() == "INTEGER"]
    alias = integers[0] if not without and len(integers) == 1 and sum(map(bool, (r[5] for r in rows))) == 1 else None
    given = [rows[cid] for cid in order]
    added = sum(1 for row in rows if row[1] in _ADDED.get(name, ()))
    return Shape(
        name, columns, order, tuple(row[2].upper() for row in given),
        tuple(not row[3] or row[0] == alias for row in given), alias, bool(without), root, len(rows) - added, name,
    )  # fmt: skip


# Columns that a migration added to a table that had rows.
_ADDED = {"memory": ("superseded_at", "purged_at")}


def _index(db: sqlite3.Connection, name: str, root: int) -> Shape:
    table = db.execute("SELECT tbl_name FROM sqlite_master WHERE name = ?", (name,)).fetchone()[0]
    types = {row[0]: row[2].upper() for row in db.execute(f"PRAGMA table_xinfo('{table}')")}
    rows = db.execute(f"PRAGMA index_xinfo('{name}')").fetchall()  # seqno, cid, name, desc, collation, key
    columns = tuple(row[2] or "rowid" for row in rows)
    kinds = tuple("INTEGER" if row[1] < 0 else types[row[1]] for row in rows)
    return Shape(name, columns, tuple(range(len(rows))), kinds, (True,) * len(rows), None, True, root, len(rows), table)
