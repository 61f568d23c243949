"""A tree as the linkage matrix of SciPy, and back.

`to_linkage` is a method of `MergeTree`, and `from_linkage` a class method.
"""

import numpy as np

from ..exceptions.arguments import as_floats
from .checks import check_heights

__all__ = ["from_linkage", "to_linkage"]


def to_linkage(self, heights="rank"):
    """Linkage matrix for SciPy.

    Parameters
    ----------
    heights : {"rank", "score"}, default="rank"
        Third column: 1..n_leaves-1, strictly increasing, or `scores`.

    Returns
    -------
    linkage : ndarray of shape (n_leaves - 1, 4), dtype=float64
        Both nodes, height and number of leaves of each merge, as
        :func:`scipy.cluster.hierarchy.linkage` gives them. Its observations are the leaves.

    Raises
    ------
    ValueError
        If `heights` is neither, or is ``"score"`` and the tree has none.

    Examples
    --------
    >>> from skl2h import MergeTree
    >>> MergeTree([(0, 2), (1, 3)], scores=[0.5, 0.7]).to_linkage("score")
    array([[0. , 2. , 0.5, 2. ],
           [1. , 3. , 0.7, 3. ]])
    """
    check_heights(self, heights)
    column = self.scores if heights == "score" else np.arange(1, self.n_leaves)
    return np.column_stack([self.children, column, self.sizes[self.n_leaves :]]).astype(float)


def from_linkage(cls, linkage, *, names=None, counts=None):
    """Tree of a SciPy linkage matrix; its heights become the scores.

    Parameters
    ----------
    linkage : array-like of shape (n_leaves - 1, 4)
        As :func:`scipy.cluster.hierarchy.linkage` gives it.
    names : sequence of str of length n_leaves, or dict of {int: str}, default=None
        Leaf names; None names the leaves by their numbers.
    counts : array-like of shape (n_leaves,) or dict, default=None
        Rows of each leaf, by name in a dict or the index of a Series.

    Returns
    -------
    tree : MergeTree
        Over the same leaves. Its ``method`` is None, since a matrix does not say where its heights
        are from.

    Raises
    ------
    ValueError
        If it is not the linkage matrix of one binary tree.

    Examples
    --------
    >>> from scipy.cluster.hierarchy import linkage
    >>> from skl2h import MergeTree
    >>> MergeTree.from_linkage(linkage([[0.0], [5.0], [1.0]])).scores
    array([1., 4.])
    """
    linkage = as_floats("linkage", linkage)
    if linkage.ndim != 2 or linkage.shape[1] != 4:
        raise ValueError(f"A linkage matrix has 4 columns, got shape {linkage.shape}.")
    tree = cls(linkage[:, :2], scores=linkage[:, 2], names=names, counts=counts)
    wrong = np.flatnonzero(tree.sizes[tree.n_leaves :] != linkage[:, 3])
    if len(wrong):
        raise ValueError(
            f"Line {wrong[0]} of the linkage matrix says {linkage[wrong[0], 3]:g} leaves, "
            f"but its merge holds {tree.sizes[tree.n_leaves + wrong[0]]}."
        )
    return tree
