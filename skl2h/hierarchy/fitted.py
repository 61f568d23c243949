"""What is taken from a fitted model besides its tree."""

import numpy as np
from sklearn.cluster import FeatureAgglomeration
from sklearn.metrics import pairwise_distances
from sklearn.pipeline import Pipeline
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted

from ..exceptions.arguments import check_weights
from ..exceptions.texts import shown
from ..merge.loop import leaf_profiles
from .estimator import L2HClustering
from .logits_of_rows import logits_of_rows

__all__ = [
    "affinity_of",
    "default_level",
    "fitted_logits",
    "last_step",
    "profile_matrix",
    "shares_of",
]


def last_step(estimator, X):
    """Last step of a pipeline, and the data it sees."""
    if not isinstance(estimator, Pipeline):
        return estimator, X
    if X is not None and len(estimator) > 1:
        X = estimator[:-1].transform(X)
    return estimator[-1], X


def default_level(estimator, tree, plot_kw):
    """Colour the groups that a fitted model has, unless told otherwise."""
    n_clusters = getattr(estimator, "n_clusters_", None)
    if n_clusters is not None and 1 < n_clusters < tree.n_leaves:
        plot_kw.setdefault("level", int(n_clusters))


def fitted_logits(model, X):
    """Logits of the rows of X, as a fitted `L2HClustering` had them.

    Raises
    ------
    TypeError
        If it is none: only its logits tell what a tree is made of.
    """
    if not isinstance(model, L2HClustering):
        raise TypeError(f"A fitted L2HClustering is needed, got {shown(model)}.")
    check_is_fitted(model)
    return logits_of_rows(model, X)


def profile_matrix(model, X, sample_weight=None):
    """Profile of every leaf of a fitted `L2HClustering` on the rows of X, (K, K)."""
    logits = fitted_logits(model, X)
    weights = check_weights(sample_weight, logits.shape[0])
    return leaf_profiles(logits, weights, n_jobs=model.n_jobs)


def affinity_of(estimator, X):
    """How alike the leaves of a fitted model are, (n_leaves, n_leaves)."""
    if isinstance(estimator, L2HClustering):
        return shares_of(profile_matrix(estimator, X))
    # Leaves are rows, or features: the nearer, the more alike.
    metric = getattr(estimator, "metric", "euclidean")
    if isinstance(estimator, FeatureAgglomeration):
        X = check_array(X, accept_sparse=True).T
    return -(metric(X) if callable(metric) else pairwise_distances(X, metric=metric))


def shares_of(profiles):
    """Each line over its sum; a line of zeros as it is."""
    sums = profiles.sum(axis=1, keepdims=True)
    return np.divide(profiles, sums, out=np.zeros_like(profiles), where=sums > 0)
