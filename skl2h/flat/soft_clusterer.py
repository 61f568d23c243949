"""What clusterers with soft labels share: predictions from the logarithms of the labels."""

import numpy as np
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.utils import ClassifierTags

__all__ = ["SoftClusterer", "refuse_overflow"]


class SoftClusterer(ClusterMixin, BaseEstimator):
    """Clusterer that says how probable each cluster is, in `predict_log_proba`."""

    def predict(self, X):
        """Cluster of each row.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The features, in the form that `fit` had.

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
            The features, in the form that `fit` had.

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


def refuse_overflow(results):
    """Refuse features of which no numbers were made."""
    if not np.isfinite(results).all():
        raise ValueError("X has features too large for float64 and the fitted weights.")
