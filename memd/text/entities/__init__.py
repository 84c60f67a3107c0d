"""What a text names: identifiers, paths, errors, packages, links, tickets, options, commits, people.

The same function reads memories when they are written and queries when they are asked, so all that
matters is that two ways to name a thing meet in one name:

* identifiers lose case, underscores, quotes, a leading `self.` and a trailing `()`: `create_table`,
  `createTable`, `CreateTable` and `CREATE_TABLE()` are all `createtable`; dots stay;
* a dotted name also yields its last part (`db.table()` is `db.table` and `table`), and its first where
  that is a class by its case; a path also yields its file's name; a package and a long option also yield
  the identifier of the same letters; a person of several words also yields each word.

People and other proper names can't be told apart without a dictionary: kind `person` holds both.
"""

from collections.abc import Iterator

from memd.text.entities.code import shapes
from memd.text.entities.entity import Entity, EntityKind
from memd.text.entities.people import proper_names
from memd.text.entities.phrases import backticked, phrases

__all__ = ["Entity", "EntityKind", "extract"]

LONGEST = 200  # characters; a longer name is data


def extract(text: str) -> list[Entity]:
    """All that `text` names, each (kind, name) once, where it is first named, in order of appearance.

    `text[entity.begin:entity.stop]` is the mention; `name` is the form its spellings share.
    Never raises. O(len(text)).
    """
    first: dict[tuple[str, str], Entity] = {}
    for entity in _mentions(text):
        if 0 < len(entity.name) <= LONGEST:
            key = entity.kind, entity.name
            known = first.get(key)
            if known is None or entity.begin < known.begin:
                first[key] = entity
    return sorted(first.values(), key=lambda entity: (entity.begin, -entity.stop, entity.kind, entity.name))


def _mentions(text: str) -> Iterator[Entity]:
    yield from backticked(text)
    yield from phrases(text)
    yield from shapes(text)
    yield from proper_names(text)
