"""The tree against classes: those of the rows, or those of the leaves."""

import numpy as np

from ..exceptions.arguments import as_flag
from ..exceptions.arrays import codes_of
from ..tree.alignment import in_order
from ..tree.tree_of import tree_of
from .leaves import class_counts
from .purity_bounds import best_across, expected_across, purity_across

__all__ = ["dendrogram_purity", "superclass_purity"]


def dendrogram_purity(tree, leaf_labels, y, *, adjusted=False):
    """Share of a class where two of its rows meet, averaged over all such pairs.

    Over the unordered pairs of distinct rows of one class, the mean of the share of that class
    among the rows below their lowest common ancestor [1]_ [2]_. Two rows in one leaf meet there.

    Parameters
    ----------
    tree : MergeTree or fitted L2HClustering
        What to judge.
    leaf_labels : array-like of shape (n_samples,), dtype=int
        Leaf of each row, 0 to K - 1: ``leaf_labels_``, if the rows are those of the fit.
    y : array-like of shape (n_samples,)
        Class of each row: numbers or strings.
    adjusted : bool, default=False
        Whether to correct for chance and for what the leaves allow; see Notes.

    Returns
    -------
    purity : float
        Above 0 and at most 1, where each class is a clade. If adjusted, at most 1, and 0 is chance.
        NaN if no two rows have the same class.

    Raises
    ------
    NotFittedError
        If the estimator is not fitted.
    TypeError
        If `tree` is not a tree, labels are of several types, or `adjusted` is not a bool.
    ValueError
        If the lengths differ, there are no rows, a label is missing, or a leaf is not one of
        the tree's.

    Notes
    -----
    With a good flat model most pairs are in one leaf, where no tree changes their purity. So plain
    purity is almost all leaf purity. Adjusted purity is ``(purity - chance) / (best - chance)``, as
    in the adjusted Rand index. Chance and best depend only on the leaves, so that trees over the
    same leaves are ranked as by plain purity, up to the best.

    *Chance* is the mean over all orders of merging, or the expectation if two groups are drawn
    uniformly at random and merged until one is left. It is computed from an integral, to about ten
    digits; no trees are drawn.

    *Best* is the largest purity of any tree over the same leaves. If at most 12 leaves hold rows,
    all trees are compared. For more leaves we know no way that is both exact and fast, and take the
    better of two trees that are built from the classes. Both join, again and again, the two groups
    in which pairs of rows of one class are purest. The first tree starts with the leaves, if there
    are at most 1,000. The second starts with groups of leaves that have the same largest class.

    A tree that is as good as that, or better, gives 1. So the best tree always gives 1, and no tree
    gives more. Over pure leaves, any tree in which each class is a clade gives 1. The mean over
    random orders of merging is 0. If all trees are equal, as with one class or at most two leaves,
    each is the best and gives 1.

    The time is that of sorting the rows. The memory grows with rows and leaves, not with leaves
    times classes. For more than 12 leaves, adjusting needs a table of classes times classes, and
    time between the square and the cube of their number: a second for a thousand classes.

    References
    ----------
    .. [1] K. A. Heller, Z. Ghahramani, "Bayesian Hierarchical Clustering", ICML 2005.
    .. [2] A. Kobren, N. Monath, A. Krishnamurthy, A. McCallum, "A Hierarchical Algorithm for
       Extreme Clustering", KDD 2017, arXiv:1704.01858.

    Examples
    --------
    >>> from skl2h import MergeTree
    >>> from skl2h.metrics import dendrogram_purity
    >>> y = ["cat", "cat", "cat", "dog", "dog", "car"]
    >>> leaf_labels = [0, 0, 1, 1, 2, 3]
    >>> animals_first = MergeTree([(0, 1), (2, 4), (3, 5)])
    >>> round(dendrogram_purity(animals_first, leaf_labels, y), 3)
    0.725
    >>> dendrogram_purity(animals_first, leaf_labels, y, adjusted=True)
    1.0
    >>> cars_first = MergeTree([(0, 3), (1, 2), (4, 5)])
    >>> round(dendrogram_purity(cars_first, leaf_labels, y, adjusted=True), 3)
    0.25
    """
    tree, adjusted = tree_of(tree), as_flag("adjusted", adjusted)
    return _purity(tree, class_counts(leaf_labels, y, tree), adjusted)


def superclass_purity(tree, leaf_classes, *, adjusted=False):
    """Share of a class of leaves where two of its leaves meet, averaged over all such pairs.

    This is :func:`dendrogram_purity` with one row in each leaf.

    Parameters
    ----------
    tree : MergeTree or fitted L2HClustering
        What to judge.
    leaf_classes : array-like of shape (n_leaves,) or dict
        Class of each leaf, such as the domain of an intent: numbers or strings, in the order of the
        leaves, or by their names in a dict or the index of a Series.
    adjusted : bool, default=False
        Whether to correct for chance: 0 for random orders of merging, 1 for the best tree, which
        has each class as a clade.

    Returns
    -------
    purity : float
        Above 0 and at most 1, where each class is a clade. If adjusted, at most 1. NaN if no two
        leaves have the same class.

    Raises
    ------
    NotFittedError
        If the estimator is not fitted.
    TypeError
        If `tree` is not a tree, labels are of several types, or `adjusted` is not a bool.
    ValueError
        If there are not as many classes as leaves, one is missing, or the keys of a dict or
        Series are not the names of the leaves.

    Examples
    --------
    >>> from skl2h import MergeTree
    >>> from skl2h.metrics import superclass_purity
    >>> tree = MergeTree([(0, 1), (2, 3), (4, 5)], names=["cat", "dog", "car", "bus"])
    >>> superclass_purity(tree, ["animal", "animal", "vehicle", "vehicle"])
    1.0
    >>> superclass_purity(tree, {"bus": "vehicle", "car": "vehicle", "cat": "pet", "dog": "pet"})
    1.0
    >>> superclass_purity(tree, ["has c", "has no c", "has c", "has no c"])
    0.5
    """
    tree, adjusted = tree_of(tree), as_flag("adjusted", adjusted)
    classes = codes_of(in_order("leaf_classes", leaf_classes, tree.names), "leaf_classes")
    if len(classes) != tree.n_leaves:
        raise ValueError(
            f"leaf_classes must be one for each of the {tree.n_leaves} leaves, got {len(classes)}."
        )
    return _purity(tree, class_counts(np.arange(tree.n_leaves), classes, tree), adjusted)


def _purity(tree, counts, adjusted):
    rows = np.asarray(counts.sum(axis=1)).ravel()
    n_pairs = _pairs(np.asarray(counts.sum(axis=0), dtype=np.float64)).sum()
    if not n_pairs:
        return float("nan")
    across = purity_across(tree, counts)
    if not adjusted:
        entries = counts.tocoo()
        inside = (_pairs(entries.data) * (entries.data / rows[entries.row])).sum()
        return float((inside + across) / n_pairs)
    best = best_across(counts)
    if across >= best * (1 - 1e-12):  # also where all trees are alike
        return 1.0
    chance = expected_across(counts)
    return float((across - chance) / (best - chance))


def _pairs(rows):
    return rows * (rows - 1) / 2
