"""The tree against how similar leaves are, or how often they are confused; without labels."""

import numpy as np
from scipy.sparse import issparse
from sklearn.utils import check_array

from ..exceptions.arguments import as_floats
from ..tree.alignment import matrix_in_order
from ..tree.checks import check_level, check_levels
from ..tree.tree_of import tree_of

__all__ = ["dasgupta_cost", "reassignment_within"]

# Sums of numbers above this power of 2 might overflow. They are divided by a power of 2, which does
# not change their shares of the sum, and only these are used.
LARGEST_EXPONENT = 900


def dasgupta_cost(tree, similarity):
    """Mean share of all leaves that are below the node where two similar leaves meet.

    Each pair of leaves is weighted by its similarity: the sum, over pairs, of the similarity
    times the leaves below their lowest common ancestor [1]_, over K times the sum of the
    similarities.

    Parameters
    ----------
    tree : MergeTree or fitted L2HClustering
        What to judge.
    similarity : {array-like, sparse matrix} of shape (n_leaves, n_leaves)
        Numbers of at least 0. The sum of both directions counts; the diagonal does not. A DataFrame
        is read by the names of its lines and columns.

    Returns
    -------
    cost : float
        From 2 / K to 1; the smaller, the better. NaN if all similarities are 0, as with one leaf.

    Raises
    ------
    NotFittedError
        If the estimator is not fitted.
    TypeError
        If `tree` is not a tree.
    ValueError
        If the matrix is not of that shape, or holds NaN, infinite or negative numbers.

    Notes
    -----
    The mean over random orders of merging is 2 (K + 1) / (3 K), whatever the similarity. If all
    pairs are equally similar, every tree gives that. The time is that of reading the matrix.

    References
    ----------
    .. [1] S. Dasgupta, "A Cost Function for Similarity-Based Hierarchical Clustering", STOC
       2016, arXiv:1510.05043.

    Examples
    --------
    >>> import numpy as np
    >>> from skl2h import MergeTree
    >>> from skl2h.metrics import dasgupta_cost
    >>> similarity = np.array([[0, 3, 1, 0], [3, 0, 0, 0], [1, 0, 0, 4], [0, 0, 4, 0]])
    >>> dasgupta_cost(MergeTree([(0, 1), (2, 3), (4, 5)]), similarity)
    0.5625
    >>> dasgupta_cost(MergeTree([(0, 3), (1, 2), (4, 5)]), similarity)
    1.0
    """
    tree = tree_of(tree)
    mass = _mass_of_merges(tree, similarity, "similarity")
    total = mass.sum()
    if not total:
        return float("nan")
    return float(mass @ tree.sizes[tree.n_leaves :] / (tree.n_leaves * total))


def reassignment_within(tree, profiles, *, levels=None):
    """Share of the reassignment mass that stays inside the groups of each level.

    The profile of a leaf says where its rows would go if the leaf did not exist. This is the share
    of the sum of all profiles that goes to a leaf of the same group.

    Parameters
    ----------
    tree : MergeTree or fitted L2HClustering
        What to judge.
    profiles : {array-like, sparse matrix} of shape (n_leaves, n_leaves)
        Line i is the profile of leaf i, as :func:`~skl2h.profile_matrix` gives it; or any
        confusion matrix of leaves, without negative numbers. The diagonal does not count. A
        DataFrame is read by the names of its lines and columns.
    levels : int or array-like of int, default=None
        Levels, by their number of groups; None takes all, 1 to K.

    Returns
    -------
    shares : float or ndarray of shape (n_levels,), dtype=float64
        From 0 at level K to 1 at level 1, never increasing with the level. NaN if there is no
        mass, as with one leaf.

    Raises
    ------
    NotFittedError
        If the estimator is not fitted.
    TypeError
        If `tree` is not a tree, or a level is not an integer.
    ValueError
        If the matrix is not of that shape, or holds NaN, infinite or negative numbers, or there
        is no such level.

    Examples
    --------
    >>> import numpy as np
    >>> from skl2h import MergeTree
    >>> from skl2h.metrics import reassignment_within
    >>> profiles = np.array([[0, 3, 0, 0], [2, 0, 1, 0], [0, 0, 0, 1], [0, 0, 1, 0]])
    >>> tree = MergeTree([(2, 3), (0, 1), (4, 5)])
    >>> reassignment_within(tree, profiles)
    array([1.   , 0.875, 0.25 , 0.   ])
    >>> reassignment_within(tree, profiles, levels=2)
    0.875
    """
    tree = tree_of(tree)
    within = np.concatenate([[0.0], np.cumsum(_mass_of_merges(tree, profiles, "profiles"))])
    shares = within[::-1] / within[-1] if within[-1] else np.full(tree.n_leaves, np.nan)
    if levels is None:
        return shares
    if np.iterable(levels) or isinstance(levels, (str, bytes)):
        return shares[np.array(check_levels(tree, levels), dtype=np.intp) - 1]
    return float(shares[check_level(tree, levels, "levels") - 1])


def _mass_of_merges(tree, matrix, name):
    """Sum, over the pairs of leaves that each merge joins, of both directions, (K - 1,)."""
    matrix = matrix_in_order(name, matrix, tree.names)
    if not issparse(matrix):
        matrix = as_floats(name, matrix)
    if matrix.shape != (tree.n_leaves, tree.n_leaves):
        raise ValueError(
            f"{name} must have the shape ({tree.n_leaves}, {tree.n_leaves}), a line and a column "
            f"for each leaf, got {matrix.shape}."
        )
    matrix = check_array(matrix, accept_sparse="coo", dtype=np.float64, input_name=name)
    entries = matrix.data if issparse(matrix) else matrix
    lowest = entries.min(initial=0.0)
    if lowest < 0:
        raise ValueError(f"{name} must not be negative, got {lowest:g}.")
    exponent = np.frexp(entries.max(initial=0.0))[1]
    if exponent > LARGEST_EXPONENT:
        matrix = matrix * np.ldexp(1.0, -exponent)
    if issparse(matrix):
        off = matrix.row != matrix.col
        merges = tree.lca(matrix.row[off], matrix.col[off]) - tree.n_leaves
        return np.bincount(merges, weights=matrix.data[off], minlength=tree.n_leaves - 1)
    mass = np.zeros(tree.n_leaves - 1)
    order = tree.leaf_order
    splits = tree.lca(order[:-1], order[1:]) - tree.n_leaves
    for place, leaf in enumerate(order[:-1]):
        others = order[place + 1 :]
        # The largest split between two leaves of the order is where they meet.
        merges = np.maximum.accumulate(splits[place:])
        both = matrix[leaf, others] + matrix[others, leaf]
        mass += np.bincount(merges, weights=both, minlength=len(mass))
    return mass
