"""The leaves as a flat clustering, against the classes of the rows."""

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.sparse import csr_matrix

from ..exceptions.arrays import as_sequence, codes_of, refuse_masked

__all__ = ["class_counts", "clustering_accuracy", "leaf_purity", "match_classes"]


def clustering_accuracy(y, leaf_labels):
    """Share of rows that are in the leaf matched to their class.

    Classes and leaves are matched one to one so that this share is largest [1]_. If there are more
    leaves than classes, some leaves have no class; if there are fewer, some classes have no leaf.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
        Class of each row: numbers or strings.
    leaf_labels : array-like of shape (n_samples,)
        Leaf of each row, or any other flat clustering.

    Returns
    -------
    accuracy : float
        Above 0 and at most 1, where each class is one leaf.

    Raises
    ------
    ValueError
        If the lengths differ, there are no rows, or a label is missing.
    TypeError
        If labels are of several types.

    Notes
    -----
    The two arguments may be exchanged. With one class this is the share of the largest leaf, and
    with one leaf that of the largest class. A table of classes times leaves is held in memory.

    References
    ----------
    .. [1] Y. Yang, D. Xu, F. Nie, S. Yan, Y. Zhuang, "Image Clustering Using Local Discriminant
       Models and Global Integration", IEEE Transactions on Image Processing 19, 2010.

    Examples
    --------
    >>> from skl2h.metrics import clustering_accuracy
    >>> clustering_accuracy(["cat", "cat", "cat", "dog", "dog"], [2, 2, 0, 1, 1])
    0.8
    """
    counts = class_counts(leaf_labels, y)
    return float(match_classes(counts)[1].sum() / counts.sum())


def leaf_purity(leaf_labels, y):
    """Share of rows that are of the largest class in their leaf.

    Parameters
    ----------
    leaf_labels : array-like of shape (n_samples,)
        Leaf of each row, or any other flat clustering.
    y : array-like of shape (n_samples,)
        Class of each row: numbers or strings.

    Returns
    -------
    purity : float
        Above 0 and at most 1, where each leaf holds one class.

    Raises
    ------
    ValueError
        If the lengths differ, there are no rows, or a label is missing.
    TypeError
        If labels are of several types.

    Notes
    -----
    This is the purity of a clustering [1]_: the mean purity of the leaves, weighted by their rows.
    It never falls when a leaf is split, and is never below the clustering accuracy. With one class
    it is 1, and with one leaf it is the share of the largest class.

    References
    ----------
    .. [1] C. D. Manning, P. Raghavan, H. Schütze, "Introduction to Information Retrieval",
       section 16.3, Cambridge University Press, 2008.

    Examples
    --------
    >>> from skl2h.metrics import leaf_purity
    >>> leaf_purity([2, 2, 0, 0, 1], ["cat", "cat", "cat", "dog", "dog"])
    0.8
    """
    counts = class_counts(leaf_labels, y)
    return float(counts.max(axis=1).sum() / counts.sum())


def class_counts(leaf_labels, y, tree=None):
    """Rows of each class in each leaf, a CSR matrix of shape (n_leaves, n_classes).

    Leaves are those of a tree, or the distinct labels.
    """
    leaves = codes_of(leaf_labels, "leaf_labels") if tree is None else _leaves_of(tree, leaf_labels)
    y = codes_of(y, "y")
    if len(leaves) != len(y):
        raise ValueError(
            f"leaf_labels and y must be of the same rows, got {len(leaves)} and {len(y)} labels."
        )
    n_leaves = leaves.max() + 1 if tree is None else tree.n_leaves
    return csr_matrix((np.ones(len(y), dtype=np.int64), (leaves, y)), (n_leaves, y.max() + 1))


def _leaves_of(tree, leaf_labels):
    """Labels of rows as intp; an error if they are not leaves of the tree."""
    refuse_masked("leaf_labels", leaf_labels)
    leaves = np.asarray(as_sequence(leaf_labels))
    if leaves.ndim != 1 or not len(leaves):
        raise ValueError(
            f"leaf_labels must be one leaf for each row, got the shape {leaves.shape}."
        )
    if leaves.dtype.kind not in "iu":
        raise ValueError(
            f"leaf_labels must be integers, 0 to {tree.n_leaves - 1}, got {leaves.dtype}."
        )
    outside = (leaves < 0) | (leaves >= tree.n_leaves)
    if outside.any():
        row = int(outside.argmax())
        raise ValueError(
            f"leaf_labels[{row}] is {leaves[row]}, but the leaves of the tree are 0 to "
            f"{tree.n_leaves - 1}."
        )
    return leaves.astype(np.intp)


def match_classes(counts):
    """Leaf matched to each class, or -1, and the number of rows of the class in that leaf."""
    leaves, classes = linear_sum_assignment(counts.toarray(), maximize=True)
    rows = np.zeros(counts.shape[1], dtype=np.int64)
    rows[classes] = np.asarray(counts[leaves, classes]).ravel()
    leaf_of_class = np.full(counts.shape[1], -1)
    leaf_of_class[classes] = leaves
    leaf_of_class[rows == 0] = -1  # such a match would be arbitrary
    return leaf_of_class, rows
