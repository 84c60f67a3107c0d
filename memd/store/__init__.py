"""The store: one SQLite file with memories, passages, their words, vectors, entities and episodes."""

from memd.store.connection import Store

__all__ = ["Store"]
