"""Clusters of what is about the same: stars (Aslam, Pelekhov & Rus, "The Star Clustering Algorithm", JGAA 8, 2004).

Each cluster has a centre that all its members are near to, so that a chain of small steps makes no cluster.
"""

from __future__ import annotations

from collections.abc import Mapping, Set

LEAST, MOST = 3, 12  # members


def stars(near: Mapping[int, Set[int]], least: int = LEAST, most: int = MOST) -> list[tuple[int, ...]]:
    """Clusters, each once: the most connected one that is free and the free ones near it, and so on. O(n² + edges).

    Args:
        near: for each item the others that it is near to; symmetric.
        least, most: members of a cluster. A larger star keeps those of its members that most of the others are near
            to.
    """
    free = set(near)
    found = []
    while free:
        centre = min(free, key=lambda item: (-len(near[item] & free), item))
        star = (near[centre] & free) - {centre}
        if len(star) + 1 < least:
            break  # no other has more
        inner = star | {centre}
        kept = sorted(star, key=lambda item: (-len(near[item] & inner), item))[: most - 1]
        found.append(tuple(sorted([centre, *kept])))
        free -= {centre, *kept}
    return sorted(found)
