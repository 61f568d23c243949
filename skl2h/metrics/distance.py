"""How far, in the tree, rows are from the leaf of their class."""

import numpy as np

from ..tree.places import depths, longest_path
from ..tree.tree_of import tree_of
from .leaves import class_counts, match_classes

__all__ = ["mistake_distance"]


def mistake_distance(tree, leaf_labels, y):
    """Mean distance, in the tree, from the leaf of a misassigned row to the leaf of its class.

    The distance of two leaves is the length of the path between them, in steps from node to node,
    over the length of the longest path between leaves of this tree. Classes are matched to leaves
    as in :func:`clustering_accuracy`. A row in the leaf of its class is no mistake.

    Parameters
    ----------
    tree : MergeTree or fitted L2HClustering
        What to judge.
    leaf_labels : array-like of shape (n_samples,), dtype=int
        Leaf of each row, 0 to K - 1: ``leaf_labels_``, if the rows are those of the fit.
    y : array-like of shape (n_samples,)
        Class of each row: numbers or strings.

    Returns
    -------
    distance : float
        Above 0 and at most 1; the smaller, the better. NaN if there is no mistake.

    Raises
    ------
    NotFittedError
        If the estimator is not fitted.
    TypeError
        If `tree` is not a tree, or labels are of several types.
    ValueError
        If the lengths differ, there are no rows, a label is missing, or a leaf is not one of
        the tree's.

    Notes
    -----
    If a class is matched to no leaf, or to a leaf that holds none of its rows, its rows are left
    out, since there is no distance to measure. So with one leaf the result is NaN. If several
    matchings are best, the one that SciPy finds is taken. A table of classes times leaves is held
    in memory.

    Examples
    --------
    >>> from skl2h import MergeTree
    >>> from skl2h.metrics import mistake_distance
    >>> tree = MergeTree([(0, 1), (2, 4), (3, 5)], names=["cat", "dog", "car", "bus"])
    >>> mistake_distance(tree, [0, 0, 1, 1, 1, 2], ["cat", "cat", "dog", "dog", "cat", "car"])
    0.5
    """
    tree = tree_of(tree)
    counts = class_counts(leaf_labels, y, tree)
    leaf_of_class, _ = match_classes(counts)
    entries = counts.tocoo()
    leaves, targets = entries.row, leaf_of_class[entries.col]
    wrong = (targets >= 0) & (targets != leaves)
    if not wrong.any():
        return float("nan")
    leaves, targets, rows = leaves[wrong], targets[wrong], entries.data[wrong]
    depth = depths(tree)
    steps = depth[leaves] + depth[targets] - 2 * depth[tree.lca(leaves, targets)]
    return float(np.average(steps, weights=rows) / longest_path(tree))
