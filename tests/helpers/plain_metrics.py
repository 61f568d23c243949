"""The metrics evaluated plainly, pair by pair and triple by triple, from their definitions.

A tree is its merges, and a node the set of leaves below it. Exact fractions wherever possible.
"""

from fractions import Fraction
from itertools import combinations, permutations

import numpy as np
from scipy.stats import spearmanr


def clades(merges):
    """Set of leaves of each node."""
    sets = [frozenset([leaf]) for leaf in range(len(merges) + 1)]
    for a, b in merges:
        sets.append(sets[a] | sets[b])
    return sets


def meeting(sets, a, b):
    """Smallest node that holds both leaves."""
    return min(
        (node for node, s in enumerate(sets) if a in s and b in s), key=lambda n: len(sets[n])
    )


def plain_accuracy(y, leaf_labels):
    classes, leaves = sorted(set(y)), sorted(set(leaf_labels))
    few, many = sorted([classes, leaves], key=len)
    pairs = list(zip(y, leaf_labels)) if few is classes else list(zip(leaf_labels, y))
    best = max(
        sum(dict(zip(few, chosen))[a] == b for a, b in pairs)
        for chosen in permutations(many, len(few))
    )
    return best / len(y)


def plain_purity(merges, leaf_labels, y):
    sets, n_leaves = clades(merges), len(merges) + 1
    meet = {(a, b): meeting(sets, a, b) for a in range(n_leaves) for b in range(n_leaves)}
    below = [[c for leaf, c in zip(leaf_labels, y) if leaf in node] for node in sets]
    shares = []
    for a, b in combinations(range(len(y)), 2):
        if y[a] == y[b]:
            rows = below[meet[leaf_labels[a], leaf_labels[b]]]
            shares.append(Fraction(rows.count(y[a]), len(rows)))
    return sum(shares) / len(shares) if shares else None


def plain_mistake_distance(merges, leaf_labels, y, leaf_of_class):
    """Mistake distance for a given matching, a dict."""
    sets = clades(merges)
    steps = {
        (a, b): sum((a in s) != (b in s) for s in sets)
        for a, b in combinations(range(len(merges) + 1), 2)
    }
    mistakes = [
        steps[min(leaf, leaf_of_class[c]), max(leaf, leaf_of_class[c])]
        for leaf, c in zip(leaf_labels, y)
        if c in leaf_of_class and leaf_of_class[c] != leaf
    ]
    return sum(mistakes) / len(mistakes) / max(steps.values()) if mistakes else None


def sister(groups, triple):
    """The two leaves of a triple that share a group without the third, or None."""
    for pair in combinations(triple, 2):
        third = next(leaf for leaf in triple if leaf not in pair)
        if any(pair[0] in s and pair[1] in s and third not in s for s in groups):
            return pair
    return None


def plain_triplet_accuracy(merges, groups):
    sets = clades(merges)
    triples = [t for t in combinations(range(len(merges) + 1), 3) if sister(groups, t)]
    agreed = sum(sister(sets, t) == sister(groups, t) for t in triples)
    return agreed / len(triples) if triples else None


def plain_correlation(heights, other_heights):
    """Spearman's correlation of two dicts of pairs."""
    pairs = list(heights)
    return spearmanr([heights[p] for p in pairs], [other_heights[p] for p in pairs])[0]


def pair_heights(merges):
    sets = clades(merges)
    return {(a, b): meeting(sets, a, b) for a, b in combinations(range(len(merges) + 1), 2)}


def plain_shared_clades(groups, other_groups, n_leaves):
    some, other = (
        {s for s in map(frozenset, of) if 1 < len(s) < n_leaves} for of in (groups, other_groups)
    )
    both = len(some) + len(other)
    return 2 * len(some & other) / both if both else 1.0


def plain_dasgupta(merges, similarity):
    sets, n_leaves = clades(merges), len(merges) + 1
    pairs = list(combinations(range(n_leaves), 2))
    both = {(a, b): similarity[a][b] + similarity[b][a] for a, b in pairs}
    cost = sum(both[a, b] * len(sets[meeting(sets, a, b)]) for a, b in pairs)
    return cost / (n_leaves * sum(both.values()))


def groups_of_columns(columns):
    """Sets of leaves of nested labels."""
    columns = np.atleast_2d(np.asarray(columns).T)
    return [frozenset(np.flatnonzero(column == v)) for column in columns for v in set(column)]
