"""What TURTLE and TEMI share: the checks before a search, what every fit keeps, and predictions."""

from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import ClassifierTags
from sklearn.utils.validation import check_is_fitted, validate_data

from ..exceptions.arguments import as_count, as_flag, as_float_dtype, as_random_state, as_verbosity
from ..exceptions.categories import warn
from .feature_spaces import blocks_of, check_matrix, spaces_of

__all__ = ["CHECKS", "Run", "SoftClusterer", "refuse_loss", "refuse_overflow"]

# Checks of the parameters that both have: functions of name and value that give the value to work
# with. Numbers become Python's own, since those of NumPy would change the dtype of the search.
CHECKS = {
    "n_clusters": as_count,
    "max_iter": as_count,
    "batch_size": as_count,
    "scale_features": as_flag,
    "dtype": as_float_dtype,
    "random_state": lambda _, value: as_random_state(value),
    "verbose": as_verbosity,
}


class Run(NamedTuple):
    """What a search has found.

    Attributes
    ----------
    fitted : object
        What predictions are made with: it has `log_labels` of blocks of rows, and `n_clusters`.
    labels : ndarray of shape (n,), dtype=intp
        Most probable cluster of each row.
    loss : float
        Of all rows.
    curve : ndarray of shape (n_steps,)
        Loss of each step, on its batch.
    """

    fitted: Any
    labels: np.ndarray
    loss: float
    curve: np.ndarray


class SoftClusterer(ClusterMixin, BaseEstimator):
    """Clusterer that says how probable each cluster is for a row."""

    def predict_log_proba(self, X):
        """Logarithm of the probability of each cluster.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The features.

        Returns
        -------
        logarithms : ndarray of shape (n_samples, K), dtype=float64
            Exact where the probability underflows; this is what :class:`L2HClustering` reads.

        Raises
        ------
        NotFittedError
            If `fit` has not been called.
        ValueError
            If the features are not those of `fit`, hold NaN or inf, or are too large.
        """
        spaces = self._spaces(X)
        logarithms = np.empty((spaces[0].n_rows, self._fitted.n_clusters))
        for rows, blocks in blocks_of(spaces):
            logarithms[rows] = self._fitted.log_labels(blocks)
        return logarithms

    def predict(self, X):
        """Cluster of each row.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The features.

        Returns
        -------
        labels : ndarray of shape (n_samples,), dtype=intp
            The most probable cluster. On the fitted rows these are `labels_`.

        Raises
        ------
        NotFittedError
            If `fit` has not been called.
        ValueError
            If the features are not those of `fit`, hold NaN or inf, or are too large.
        """
        return self.predict_log_proba(X).argmax(axis=1)

    def predict_proba(self, X):
        """Probability of each cluster.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The features.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, K), dtype=float64
            The soft labels; rows sum to 1.

        Raises
        ------
        NotFittedError
            If `fit` has not been called.
        ValueError
            If the features are not those of `fit`, hold NaN or inf, or are too large.
        """
        return np.exp(self.predict_log_proba(X))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        # scikit-learn's checks read these of whatever has predict_proba, a clusterer or not.
        tags.classifier_tags = ClassifierTags()
        return tags

    def _begin(self, X, checks, least_rows=1):
        """Checked parameters, with the seeds of the search, and the features as one matrix."""
        checked = {name: check(name, getattr(self, name)) for name, check in checks.items()}
        matrix = self._matrix(X, least_rows)
        if len(matrix) < checked["n_clusters"]:
            raise ValueError(
                f"n_samples={len(matrix)} should be >= n_clusters={checked['n_clusters']}."
            )
        entropy = checked["random_state"].randint(2**31 - 1, size=4).tolist()
        return SimpleNamespace(**checked, seeds=np.random.SeedSequence(entropy)), matrix

    def _matrix(self, X, least_rows=1):
        return check_matrix(X, type(self).__name__, least_rows)

    def _keep(self, X, run, groups=None):
        """Set the attributes that both have.

        All that can fail comes before: a refit that fails leaves the last fit as it was.
        """
        validate_data(self, X, skip_check_array=True)
        self._fitted, self._groups = run.fitted, groups
        self.labels_ = run.labels
        self.loss_, self.loss_curve_ = run.loss, run.curve
        self.n_iter_ = len(run.curve)
        self.n_found_ = len(np.unique(run.labels))

    def _warn_of_empty(self, remedies):
        if self.n_found_ < self._fitted.n_clusters:
            warn(
                f"Only {self.n_found_} of {self._fitted.n_clusters} clusters have rows: fewer "
                f"n_clusters, {remedies} may help.",
                ConvergenceWarning,
            )

    def _spaces(self, X):
        """The spaces of `fit`, with other features, neither centred nor scaled."""
        check_is_fitted(self)
        matrix = self._matrix(X)
        validate_data(self, X, skip_check_array=True, reset=False)
        return spaces_of(matrix, self._groups)


def refuse_loss(losses, dtype):
    """Refuse a search whose loss has overflowed."""
    if not np.isfinite(losses).all():
        raise ValueError(
            f"The loss is no number of {dtype}: features or parameters are too large for it, or "
            "too small."
        )


def refuse_overflow(results):
    """Refuse features whose results have overflowed."""
    if not np.isfinite(results).all():
        raise ValueError("X has features too large for float64 and the fitted weights.")
