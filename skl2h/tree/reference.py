"""What a tree is compared with: another tree, a linkage matrix, or nested labels.

All become groups of leaves that lie side by side in one order of the leaves, in levels: those of
one level share no leaf, and each lies in one group of the level above.
"""

from collections import Counter
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from ..exceptions.arrays import as_labels, codes_of
from ..exceptions.texts import shown
from .alignment import in_order
from .merge_tree import MergeTree
from .places import depths
from .subtrees import ends_below
from .tree_of import merges_features, model_of, tree_of

__all__ = ["groups_of"]


class _Level(NamedTuple):
    """Groups of one level.

    Attributes
    ----------
    groups : ndarray of shape (n_here,), dtype=intp
        Their numbers among all groups.
    parents : ndarray of shape (n_here,), dtype=intp
        Place of the group that holds each in the level above.
    leaves, owners : ndarray of shape (n_members,), dtype=intp
        Members of all groups here, and the place of the group of each in this level.
    """

    groups: np.ndarray
    parents: np.ndarray
    leaves: np.ndarray
    owners: np.ndarray


class _NestedGroups:
    """Groups of two leaves or more, the first of them all leaves, parents before children.

    Parameters
    ----------
    order : ndarray of shape (K,), dtype=intp
        The leaves, those of each group side by side.
    starts, sizes, depths, parents, heights : ndarray of shape (n_groups,)
        First place of each group in the order, its leaves, its level, its parent, its height.

    Attributes
    ----------
    places : ndarray of shape (K,), dtype=intp
        Where each leaf stands in the order.
    """

    def __init__(self, order, starts, sizes, depths, parents, heights):
        self.order, self.places = order, np.argsort(order)
        self.starts, self.sizes, self.depths = starts, sizes, depths
        self.parents, self.heights = parents, heights

    def levels(self):
        """Levels from the one that holds all leaves on downwards."""
        by_depth = self.depths.argsort(kind="stable")
        place = np.empty(len(by_depth), dtype=np.intp)
        bounds = np.flatnonzero(np.diff(self.depths[by_depth], prepend=-1, append=-1))
        for first, last in pairwise(bounds):
            groups = by_depth[first:last]
            place[groups] = np.arange(len(groups))
            sizes = self.sizes[groups]
            owners = np.repeat(place[groups], sizes)
            # The members of a group stand side by side from its start on.
            shift = self.starts[groups] - np.cumsum(sizes) + sizes
            leaves = self.order[np.arange(len(owners)) + shift[owners]]
            yield _Level(groups, place[self.parents[groups]], leaves, owners)

    def in_tree(self, tree):
        """Whether the leaves below each node of a tree are one of the groups, (n_nodes,)."""
        first, last = ends_below(tree, self.places)
        length = last - first + 1
        numbers = first * (len(self.order) + 1) + length
        return (length == tree.sizes) & np.isin(numbers, self.leaf_sets())

    def leaf_sets(self):
        """A number for each set of leaves that is a group, by its start and size."""
        return np.unique(self.starts * (len(self.order) + 1) + self.sizes)


def groups_of(reference, tree):
    """Groups of a reference over the leaves of a tree, and the reference as a tree, or None."""
    if isinstance(reference, MergeTree) or hasattr(reference, "fit"):
        own = tree_of(reference)
        if not _has_named_leaves(reference) and own.n_leaves == tree.n_leaves:
            own = own.with_names(tree.names)
        return _groups_of_tree(own, tree), own
    labels = reference
    if not hasattr(reference, "iloc") or reference.shape != (tree.n_leaves - 1, 4):
        labels = in_order("reference", reference, tree.names)
    if not hasattr(labels, "iloc"):
        labels = as_labels(labels, "The reference")
    shape = np.shape(labels)
    if shape == (tree.n_leaves - 1, 4):
        own = MergeTree.from_linkage(reference, names=tree.names)
        return _groups_of_tree(own, tree), own
    if shape[:1] != (tree.n_leaves,) or len(shape) > 2 or 0 in shape:
        kind = f"the shape {shape}" if shape else repr(reference)
        raise ValueError(
            f"A reference over {tree.n_leaves} leaves is a MergeTree, a fitted estimator, a "
            f"linkage matrix of shape ({tree.n_leaves - 1}, 4) or labels of shape "
            f"({tree.n_leaves},) or ({tree.n_leaves}, n_columns), got {kind}."
        )
    return _groups_of_labels(labels), None


def _has_named_leaves(reference):
    """Whether leaves have names: in scikit-learn only FeatureAgglomeration names what it merges."""
    model = model_of(reference)
    return (
        isinstance(model, MergeTree)
        or hasattr(model, "tree_")
        or (hasattr(model, "feature_names_in_") and merges_features(model))
    )


def _groups_of_tree(reference, tree):
    order = _numbers_in(reference, tree)[reference.leaf_order]
    if reference.n_leaves == 1:
        return _groups_of_labels(np.zeros(1, dtype=int))
    nodes = np.arange(reference.n_nodes - 1, reference.n_leaves - 1, -1)  # the root first
    parents = reference.n_nodes - 1 - reference.parents[nodes]
    parents[0] = 0
    starts, sizes = reference.starts[nodes], reference.sizes[nodes]
    return _NestedGroups(order, starts, sizes, depths(reference)[nodes], parents, nodes)


def _numbers_in(reference, tree):
    """Number, in a tree, of each leaf of a reference: by name, if both have the same names.

    Where only one of the trees has names, and the other just the numbers of its leaves, leaves
    are compared by number. Numbers in another order, as they come back from Newick, are names.
    """
    if reference.n_leaves != tree.n_leaves:
        raise ValueError(
            f"The trees are over different leaves: {tree.n_leaves} and {reference.n_leaves}."
        )
    numbers = np.arange(tree.n_leaves)
    by_number = tuple(map(str, range(tree.n_leaves)))
    if tree.names == reference.names:
        return numbers
    if by_number in (tree.names, reference.names) and set(tree.names) != set(reference.names):
        return numbers
    for here, there, side in ((tree, reference, "first"), (reference, tree, "second")):
        missing = Counter(here.names) - Counter(there.names)
        if missing:
            raise ValueError(
                f"The trees are over different leaves: only the {side} has "
                f"{shown(next(iter(missing)))}."
            )
    number_of = dict(zip(tree.names, numbers))
    if len(number_of) < tree.n_leaves:
        twice = Counter(tree.names).most_common(1)[0][0]
        raise ValueError(f"Two leaves are named {shown(twice)}: they cannot be told apart by name.")
    return numbers[[number_of[name] for name in reference.names]]


def _groups_of_labels(labels):
    """Groups of nested columns, in any order, below one group of all leaves."""
    if np.ndim(labels) == 1:
        columns = [labels]
    elif hasattr(labels, "iloc"):
        columns = [labels.iloc[:, i] for i in range(labels.shape[1])]
    else:
        columns = list(labels.T)
    codes = [codes_of(column, f"column {i} of the reference") for i, column in enumerate(columns)]
    coarse_first = sorted(range(len(codes)), key=lambda i: codes[i].max())
    n_leaves = len(labels)
    order = np.lexsort([codes[i] for i in coarse_first[::-1]]) if codes else np.arange(n_leaves)
    starts, sizes, levels, parents = [[0]], [[n_leaves]], [[0]], [[0]]
    cells = np.zeros(n_leaves, dtype=np.intp)  # group of each place, groups of one leaf included
    above = cells  # number of that group if it has two leaves or more; not read elsewhere
    n_groups = 1
    for level, i in enumerate(coarse_first, start=1):
        placed = codes[i][order]
        split = (np.diff(placed, prepend=-1) != 0) | (np.diff(cells, prepend=0) != 0)
        edges = np.append(np.flatnonzero(split), n_leaves)
        if len(edges) - 1 > placed.max() + 1:
            raise ValueError(_not_nested(columns, codes, i, coarse_first[: level - 1]))
        first, size = edges[:-1], np.diff(edges)
        kept = size > 1
        starts.append(first[kept])
        sizes.append(size[kept])
        levels.append(np.full(kept.sum(), level))
        parents.append(above[first[kept]])
        above = np.repeat(n_groups + np.cumsum(kept) - 1, size)
        cells = np.cumsum(split)
        n_groups += kept.sum()
    starts, sizes, levels, parents = map(np.concatenate, (starts, sizes, levels, parents))
    return _NestedGroups(order, starts, sizes, levels, parents, -levels)


def _not_nested(columns, codes, i, coarser):
    """Error text for column i: names a group of it that a coarser column splits."""
    first, own = np.unique(codes[i], return_index=True, return_inverse=True)[1:]
    for j in coarser:
        across = codes[j] != codes[j][first][own]
        if across.any():
            label = np.asarray(columns[i])[across.argmax()]
            return (
                f"The labels are not nested: group '{label}' of column {i} lies in several groups "
                f"of column {j}."
            )
