"""The tree against classes: those of the rows, or those of the leaves."""

import numpy as np

from ..exceptions.arguments import as_flag
from ..tree.alignment import in_order
from ..tree.classes import codes_of
from ..tree.tree_of import tree_of
from .leaves import class_counts, leaves_of
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
        From above 0 to 1: each class is a clade. If adjusted, at most 1, and 0 is chance. NaN if
        no two rows have one class.

    Raises
    ------
    NotFittedError
        If the estimator is not fitted.
    TypeError
        If it is no tree, labels are of several types, or `adjusted` is not a bool.
    ValueError
        If the lengths differ, there are no rows, a label is missing, or a leaf is not one of
        the tree's.

    Notes
    -----
    Most pairs of a good flat model are in one leaf, and no tree changes what they give, so plain
    purity is almost all leaf purity. Adjusted, it is ``(purity - chance) / (best - chance)``, as
    adjusted Rand is, where chance and best belong to the leaves alone: trees over the same leaves
    are ranked as plain purity ranks them, up to the best. *Chance* is the expectation over trees
    made by merging two groups drawn uniformly at random until one is left, that is the mean over
    all orders of merging. It is computed from an integral, to about ten digits, not by drawing
    trees. *Best* is the largest purity of any tree over the same leaves. With up to 12 leaves that
    hold rows, all trees are compared. With more, no way to the best that is both exact and fast is
    known to us, and it is the better of two trees built from the classes themselves: again and
    again, the two groups in which pairs of rows of one class are purest are joined, starting with
    the leaves (up to 1,000 of them), or with the leaves in which one class is the largest. A tree
    that reaches that, or more, gives 1. So the best tree always gives 1, as does, over pure leaves,
    any tree in which each class is a clade; no tree gives more; and random orders of merging
    average 0. If no tree differs from another, as with one class or at most two leaves, each is
    the best and gives 1.

    Time is that of sorting the rows, and memory grows with rows and leaves, not with leaves times
    classes. Adjusting needs, beyond 12 leaves, a table of classes times classes, and of these the
    square to the cube in time: a second for a thousand classes.

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
    counts = class_counts(leaves_of(tree, leaf_labels), codes_of(y, "y"), tree.n_leaves)
    return _purity(tree, counts, adjusted)


def superclass_purity(tree, leaf_classes, *, adjusted=False):
    """Share of a class of leaves where two of its leaves meet, averaged over all such pairs.

    This is :func:`dendrogram_purity` with one row in each leaf.

    Parameters
    ----------
    tree : MergeTree or fitted L2HClustering
        What to judge.
    leaf_classes : array-like of shape (n_leaves,) or dict
        Class of each leaf, such as the domain of an intent: numbers or strings. In the order of
        the leaves; or by name, in a dict or a Series whose index holds the names of the leaves.
    adjusted : bool, default=False
        Whether to correct for chance: 0 for random orders of merging, 1 for the best tree, which
        has each class as a clade.

    Returns
    -------
    purity : float
        From above 0 to 1: each class is a clade. If adjusted, at most 1. NaN if no two leaves
        have one class.

    Raises
    ------
    NotFittedError
        If the estimator is not fitted.
    TypeError
        If it is no tree, labels are of several types, or `adjusted` is not a bool.
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
    counts = class_counts(np.arange(tree.n_leaves), classes, tree.n_leaves)
    return _purity(tree, counts, adjusted)


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
