"""Looks for traces of a memory in the bytes of every file, as who has the disk would."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import sqlite_vec
from pysqlite3 import dbapi2 as sqlite3

from memd.api import Memory

_WORD = re.compile(r"\w{6,}")


class Print(NamedTuple):
    """By what a memory would be known: bytes to look for, letter case ignored, and terms of the word index."""

    needles: dict[str, bytes]
    words: frozenset[str]


def print_of(memory: Memory, ids: Iterable[str], distinctive: Iterable[str]) -> Print:
    """What to look for afterwards: texts, words, digests, vectors and token codes.

    Args:
        distinctive: the words that stand in these memories alone.
    """
    needles: dict[str, bytes] = {}
    words = frozenset(word.casefold() for word in distinctive)
    for word in words:
        for coding in ("utf-8", "utf-16-le", "utf-16-be"):
            needles[f"{word} in {coding}"] = word.encode(coding).lower()
    for id_ in ids:
        text = memory.show(id_).text
        digest = hashlib.blake2b(text.encode(), digest_size=16)
        needles[f"text of {id_}"] = text.encode().lower()
        needles[f"text of {id_} as JSON"] = json.dumps(text)[1:-1].encode().lower()
        needles[f"digest of {id_}"] = digest.digest().lower()
        needles[f"hex digest of {id_}"] = digest.hexdigest().encode()
        needles.update(_codes(memory, id_))
    return Print(needles, words)


def _codes(memory: Memory, id_: str) -> Iterator[tuple[str, bytes]]:
    """What the encoder made of it."""
    with memory.store.reading() as db:
        rows = db.execute(
            "SELECT p.id, v.code, t.ids, t.code FROM memory AS m JOIN passage AS p ON p.memory = m.seq"
            " LEFT JOIN vector AS v ON v.passage = p.id LEFT JOIN token_code AS t ON t.passage = p.id WHERE m.id = ?",
            (id_,),
        ).fetchall()
        for passage, *codes in rows:
            for name, code in zip(("vector", "token ids", "token codes"), codes, strict=True):
                if code and len(code) >= 8:
                    yield f"{name} of {id_}", bytes(code).lower()
            if db.execute("SELECT 1 FROM sqlite_master WHERE name = 'passage_bits'").fetchone():
                for (bits,) in db.execute("SELECT bits FROM passage_bits WHERE passage = ?", (passage,)):
                    yield f"bits of {id_}", bytes(bits).lower()


def found(prints: Print, *folders: Path) -> list[str]:
    """Every trace in these folders' files; empty where there is none."""
    traces = []
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                held = path.read_bytes().lower()
                traces += [f"{name} in {path}" for name, needle in prints.needles.items() if needle in held]
                if held.startswith(b"sqlite format 3"):
                    traces += [f"term {term!r} in {path}" for term in _terms(path) & _stems(prints.words)]
    return traces


def _terms(path: Path) -> set[str]:
    """The terms of the word index, which its pages hold without the letters they share with the term before."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        db.enable_load_extension(True)
        sqlite_vec.load(db)
        return {row[0] for row in db.execute("SELECT DISTINCT term FROM passage_fts_vocab")}


def _stems(words: frozenset[str]) -> set[str]:
    with closing(sqlite3.connect(":memory:")) as db:
        db.execute("CREATE VIRTUAL TABLE t USING fts5 (x, tokenize='porter unicode61 remove_diacritics 2')")
        db.execute("CREATE VIRTUAL TABLE v USING fts5vocab (t, row)")
        db.executemany("INSERT INTO t VALUES (?)", [(word,) for word in words])
        return {row[0] for row in db.execute("SELECT term FROM v")}
