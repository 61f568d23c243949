"""The tree against a reference: another tree, a linkage matrix, or nested labels of the leaves."""

import numpy as np

from ..tree.places import Places
from ..tree.reference import groups_of
from ..tree.tree_of import tree_of

__all__ = ["cophenetic_correlation", "shared_clades", "triplet_accuracy"]


def triplet_accuracy(tree, reference):
    """Share of the triples of leaves that the tree resolves as a reference does.

    Of three leaves, a reference says which two belong together: those that share a group which the
    third is not in. Triples for which it does not say this are left out. The tree is binary, and
    says it for all.

    Parameters
    ----------
    tree : MergeTree or fitted L2HClustering
        What to judge.
    reference : MergeTree, fitted estimator, linkage matrix, array-like or dict
        Another tree over the same leaves, or the classes of each leaf, of shape (n_leaves,) or
        (n_leaves, n_columns): in the order of the leaves, or by name in a dict or the index of a
        Series or DataFrame. Columns may stand in any order, and are nested: each group of a column
        lies in one group of every column with fewer groups. Leaves of two trees are matched by
        name; or by number, if the names of only one tree are just the numbers of its leaves.

    Returns
    -------
    accuracy : float
        From 0 to 1. NaN if the reference resolves no triple: there are fewer than three leaves, or
        one column that holds a single class or a class for each leaf.

    Raises
    ------
    NotFittedError
        If an estimator is not fitted.
    TypeError
        If `tree` is not a tree, or labels are of several types.
    ValueError
        If the reference is over other leaves, its columns are not nested, or a label is missing.

    Notes
    -----
    1 minus this is the normalised triplet distance of phylogenetics [1]_. The mean over random
    orders of merging is 1/3. The merges of a linkage matrix count in their order, whatever their
    heights. Two trees may be exchanged.

    At each level of the reference, the leaves that are that deep are sorted; of two trees, the less
    deep is taken for the reference. So the time is nearly linear in the leaves, but quadratic if
    both trees are chains. The memory is linear.

    References
    ----------
    .. [1] D. E. Critchlow, D. K. Pearl, C. Qian, "The Triples Distance for Rooted Bifurcating
       Phylogenetic Trees", Systematic Biology 45, 1996.

    Examples
    --------
    >>> from skl2h import MergeTree
    >>> from skl2h.metrics import triplet_accuracy
    >>> tree = MergeTree([(0, 1), (2, 4), (3, 5)], names=["cat", "dog", "car", "bus"])
    >>> triplet_accuracy(tree, ["animal", "animal", "vehicle", "vehicle"])
    0.5
    >>> triplet_accuracy(tree, MergeTree([(3, 2), (1, 0), (4, 5)], names=tree.names))
    0.5
    """
    tree, groups = _shallow_groups(tree_of(tree), reference)
    levels = groups.levels()
    above = _places(tree, next(levels))
    agreed = resolved = 0
    for level in levels:
        sizes = groups.sizes[level.groups]
        beside = groups.sizes[groups.parents[level.groups]] - sizes
        resolved += (sizes * (sizes - 1) // 2 * beside).sum()
        here = _places(tree, level)
        nodes, own, left, right = here.meetings()
        # The third leaf of a triple is in the group above but not in this one; the tree agrees
        # if it is not below the node where the two meet.
        below = above.below(nodes, level.parents[own]) - left - right
        agreed += (left * right * (beside[own] - below)).sum()
        above = here
    return float(agreed / resolved) if resolved else float("nan")


def cophenetic_correlation(tree, reference):
    """Rank correlation, over pairs of leaves, of when they are merged in tree and reference.

    Parameters
    ----------
    tree : MergeTree or fitted L2HClustering
        What to judge.
    reference : MergeTree, fitted estimator, linkage matrix, array-like or dict
        As of :func:`triplet_accuracy`.

    Returns
    -------
    correlation : float
        From -1 to 1, where 1 is the same tree. NaN if all pairs are equal in the tree or in the
        reference: there are fewer than three leaves, or one column that holds a single class or a
        class for each leaf.

    Raises
    ------
    NotFittedError
        If an estimator is not fitted.
    TypeError
        If `tree` is not a tree, or labels are of several types.
    ValueError
        If the reference is over other leaves, its columns are not nested, or a label is missing.

    Notes
    -----
    This is Spearman's correlation of the cophenetic distances [1]_, where the distance of two
    leaves is the number of the merge that joins them, and equal distances have their mean rank.
    Scores and heights are not used, since the scores of some models do not increase from merge to
    merge. In nested labels, the more columns two leaves agree in, the closer they are. Time and
    memory are those of :func:`triplet_accuracy`. Two trees may be exchanged.

    References
    ----------
    .. [1] R. R. Sokal, F. J. Rohlf, "The Comparison of Dendrograms by Objective Methods",
       Taxon 11, 1962.

    Examples
    --------
    >>> from skl2h import MergeTree
    >>> from skl2h.metrics import cophenetic_correlation
    >>> tree = MergeTree([(0, 1), (2, 3), (4, 5)])
    >>> round(cophenetic_correlation(tree, MergeTree([(3, 2), (0, 1), (5, 4)])), 3)
    0.92
    >>> round(cophenetic_correlation(tree, ["animal", "animal", "vehicle", "vehicle"]), 3)
    0.98
    """
    tree, groups = _shallow_groups(tree_of(tree), reference)
    n_pairs = tree.sizes[tree.children].prod(axis=1)
    rank = np.zeros(tree.n_nodes)
    rank[tree.n_leaves :] = _mean_ranks(np.arange(len(n_pairs)), n_pairs)
    own_pairs = groups.sizes * (groups.sizes - 1) // 2
    np.subtract.at(own_pairs, groups.parents[1:], own_pairs[1:].copy())
    own_rank = _mean_ranks(groups.heights, own_pairs)
    scale = np.sqrt((n_pairs * rank[tree.n_leaves :] ** 2).sum() * (own_pairs * own_rank**2).sum())
    if not scale:
        return float("nan")
    # From all leaves (over all pairs the ranks add up to 0) down to the smallest group that holds
    # a pair, the steps add up to the rank of that group.
    steps = own_rank - own_rank[groups.parents]
    together = 0.0
    for level in groups.levels():
        nodes, own, left, right = _places(tree, level).meetings()
        together += (steps[level.groups[own]] * rank[nodes] * left * right).sum()
    return float(np.clip(together / scale, -1.0, 1.0))


def shared_clades(tree, reference):
    """Share of clades that tree and reference have in common.

    A clade is the set of leaves below a node, or a group of nested labels. Single leaves and the
    set of all leaves are in every tree and do not count.

    Parameters
    ----------
    tree : MergeTree or fitted L2HClustering
        What to judge.
    reference : MergeTree, fitted estimator, linkage matrix, array-like or dict
        As of :func:`triplet_accuracy`.

    Returns
    -------
    share : float
        Twice the number of common clades over the sum of the numbers of clades of both: 0 if none
        is common, 1 if all are. 1 if neither has any, as with two leaves.

    Raises
    ------
    NotFittedError
        If an estimator is not fitted.
    TypeError
        If `tree` is not a tree, or labels are of several types.
    ValueError
        If the reference is over other leaves, its columns are not nested, or a label is missing.

    Notes
    -----
    1 minus this is the normalised Robinson-Foulds distance of rooted trees [1]_: the clades that
    only one of the two has, over the clades of both. For two trees of K leaves, the share is the
    number of common clades over K - 2. The time is that of sorting the leaves [2]_. Two trees may
    be exchanged.

    References
    ----------
    .. [1] D. F. Robinson, L. R. Foulds, "Comparison of Phylogenetic Trees", Mathematical
       Biosciences 53, 1981.
    .. [2] W. H. E. Day, "Optimal Algorithms for Comparing Trees with Labeled Leaves", Journal of
       Classification 2, 1985.

    Examples
    --------
    >>> from skl2h import MergeTree
    >>> from skl2h.metrics import shared_clades
    >>> tree = MergeTree([(0, 1), (2, 4), (3, 5)])
    >>> shared_clades(tree, MergeTree([(3, 2), (1, 0), (4, 5)]))
    0.5
    """
    tree = tree_of(tree)
    groups, _ = groups_of(reference, tree)
    common = groups.in_tree(tree)[tree.n_leaves : -1].sum()
    n_clades = max(tree.n_leaves - 2, 0) + len(groups.leaf_sets()) - 1
    return float(2 * common / n_clades) if n_clades else 1.0


def _shallow_groups(tree, reference):
    """Tree, and groups to compare it with; of two trees, the groups are those of the less deep."""
    groups, other = groups_of(reference, tree)
    if other is not None and groups.sizes.sum() > tree.sizes[tree.n_leaves :].sum():
        return other, groups_of(tree, other)[0]
    return tree, groups


def _places(tree, level):
    return Places(tree, level.leaves, level.owners, np.ones(len(level.leaves), dtype=np.int64))


def _mean_ranks(heights, n_pairs):
    """Mean rank of the pairs of each height, minus the mean rank of all pairs."""
    distinct, which = np.unique(heights, return_inverse=True)
    equal = np.bincount(which, weights=n_pairs, minlength=len(distinct))
    ranks = np.cumsum(equal) - equal / 2
    return (ranks - equal.sum() / 2)[which]
