"""Which section of a file was edited into which: pure, on what is known of each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from typing import NamedTuple


class Known(NamedTuple):
    """A section, as it was or is: digest of its text, titles above it, number among those with the same, digest of
    what follows its title (empty: nothing does)."""

    digest: bytes
    headings: tuple[str, ...]
    number: int
    body: bytes


def edited(old: Sequence[Known], new: Sequence[Known]) -> list[tuple[int, int]]:
    """Pairs (index in `old`, index in `new`) of sections whose text changed, in the order of `new`.

    A section with a text that stood there before is not an edit, wherever it stands now. The others are the same
    section, first, where titles and number agree; then where the body does, and the title was changed; last, for
    those without titles of their own to go by (duplicates, plain text), where they stand in the same order between
    the same neighbours. O(n) for n sections.
    """
    same = _Pairing(range(len(old)), range(len(new)))
    same.by(lambda i: (old[i].digest, old[i].headings), lambda j: (new[j].digest, new[j].headings))
    same.by(lambda i: old[i].digest, lambda j: new[j].digest)
    unchanged = dict(same.pairs)
    rest = _Pairing(same.left, same.right)
    rest.by(lambda i: (old[i].headings, old[i].number), lambda j: (new[j].headings, new[j].number), unless=_plain(new))
    rest.by(lambda i: old[i].body or None, lambda j: new[j].body or None)
    before, after = _gaps(len(old), unchanged), _gaps(len(new), {j: i for i, j in unchanged.items()})
    gap_of = {i: unchanged.get(before[i]) for i in rest.left}
    rest.by(lambda i: (old[i].headings, gap_of[i]), lambda j: (new[j].headings, after[j] if after[j] >= 0 else None))
    rest.by(lambda i: (old[i].headings, old[i].number), lambda j: (new[j].headings, new[j].number))
    return sorted(rest.pairs, key=lambda pair: pair[1])


def _plain(new: Sequence[Known]) -> Callable[[int], bool]:
    """Whether a section has no title, or one of several: its number says little once others came and went."""
    several = {section.headings for section in new if section.number}
    return lambda j: not new[j].headings or new[j].headings in several


def _gaps(count: int, anchors: dict[int, int]) -> list[int]:
    """For each index the nearest anchor before it, -1 for none."""
    found, last = [], -1
    for index in range(count):
        found.append(last)
        if index in anchors:
            last = index
    return found


class _Pairing:
    """What of two sequences isn't paired yet, and the pairs so far."""

    def __init__(self, left: Sequence[int], right: Sequence[int]) -> None:
        self.left, self.right = list(left), list(right)
        self.pairs: list[tuple[int, int]] = []

    def by(
        self,
        left_key: Callable[[int], Hashable],
        right_key: Callable[[int], Hashable],
        unless: Callable[[int], bool] = lambda _: False,
    ) -> None:
        """Pair those whose keys agree, in order; a key of None agrees with none, and neither does a right one that
        `unless` names."""
        waiting: dict[Hashable, list[int]] = defaultdict(list)
        for i in reversed(self.left):
            if (key := left_key(i)) is not None:
                waiting[key].append(i)
        found = []
        for j in self.right:
            key = None if unless(j) else right_key(j)
            if key is not None and waiting.get(key):
                found.append((waiting[key].pop(), j))
        self.pairs += found
        gone_left, gone_right = {i for i, _ in found}, {j for _, j in found}
        self.left = [i for i in self.left if i not in gone_left]
        self.right = [j for j in self.right if j not in gone_right]
