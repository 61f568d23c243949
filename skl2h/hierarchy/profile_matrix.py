"""How alike the leaves of a fitted model are: where the rows of each would go without it."""

import numpy as np
from sklearn.metrics import pairwise_distances
from sklearn.utils import check_array

from ..exceptions.arguments import check_weights
from ..merge.loop import leaf_profiles
from ..tree.tree_of import merges_features
from .estimator import L2HClustering
from .fitted import fitted_logits, last_step

__all__ = ["affinity_of", "profile_matrix", "shares_of"]


def profile_matrix(estimator, X, *, sample_weight=None):
    """Profiles of the leaves of a fitted hierarchy: where the rows of each would go without it.

    A confusion matrix that needs no labels of the rows, and in which every row counts.

    Parameters
    ----------
    estimator : fitted L2HClustering
        Or a Pipeline that ends in one.
    X : array-like of shape (n_samples, n_features)
        Whatever the inner model takes; the rows that it was fitted on, or others. No Dask
        collection.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each row.

    Returns
    -------
    profiles : ndarray of shape (n_leaves, n_leaves), dtype=float64
        Line i is the profile of leaf i, in rows, or in the unit of their weights. The diagonal
        is 0.

    Raises
    ------
    NotFittedError
        If the estimator is not fitted.
    TypeError
        If the estimator is no `L2HClustering`, or X is a Dask collection.
    ValueError
        If a weight is negative or all are 0, a row has no leaf, or the inner model no longer has
        the tree's leaves for columns.

    See Also
    --------
    ProfileMatrixDisplay : Draws the matrix beside the tree.
    merge_evidence : Profiles of the groups that were merged.
    skl2h.metrics.reassignment_within : Share of the matrix that is within the groups of a level.

    Notes
    -----
    A row belongs to the leaf with its largest logit. The softmax over all other leaves says where
    it would go without this leaf: it adds its weight times the largest of these probabilities to
    the line of its leaf, in the column of the leaf that has it. So no line sums to more than the
    weight of its rows.

    A leaf without rows has a profile from the rows of other leaves. Each adds its weight times
    the softmax probability of the leaf without rows, in the column of its own leaf.

    Examples
    --------
    >>> from skl2h import L2HClustering, profile_matrix
    >>> logits = [[3, 2, 0], [3, 0, 2], [3, 2, 1], [0, 3, 2], [0, 0, 3]]
    >>> profile_matrix(L2HClustering("precomputed").fit(logits), logits).round(2)
    array([[0.  , 1.61, 0.88],
           [0.  , 0.  , 0.88],
           [0.5 , 0.  , 0.  ]])
    """
    estimator, X = last_step(estimator, X)
    logits = fitted_logits(estimator, X)
    weights = check_weights(sample_weight, logits.shape[0])
    return leaf_profiles(logits, weights, n_jobs=estimator.n_jobs)


def affinity_of(estimator, X):
    """How alike the leaves of a fitted model are, (n_leaves, n_leaves)."""
    if isinstance(estimator, L2HClustering):
        return shares_of(profile_matrix(estimator, X))
    # Leaves are rows, or features: the nearer, the more alike.
    metric = getattr(estimator, "metric", "euclidean")
    if merges_features(estimator):
        X = check_array(X, accept_sparse=True).T
    return -(metric(X) if callable(metric) else pairwise_distances(X, metric=metric))


def shares_of(profiles):
    """Each line over its sum; a line of zeros as it is."""
    shares = profiles
    for size in (np.max, np.sum):  # the sum of large numbers alone may be infinite
        of_line = size(shares, axis=1, keepdims=True)
        shares = np.divide(shares, of_line, out=np.zeros_like(shares), where=of_line > 0)
    return shares
