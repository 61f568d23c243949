"""From a fitted model to its logits.

A model is asked by the name of a method; nothing is ever guessed from the numbers.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from scipy.sparse import issparse
from sklearn.utils import _safe_indexing, gen_batches, indexable
from sklearn.utils.validation import _num_samples

from ..exceptions.arrays import as_array, column_names, feature_labels
from ..exceptions.texts import first_difference, shown
from .inner_model import classes_of, innermost, name_of, refuse_outputs
from .kinds import check_dtype, check_logits, is_frame, sample_of
from .matrix import as_logits, warn_if_probabilities

__all__ = ["Precomputed", "Response", "joined", "leaf_names"]

# Rows that a model is asked for at once: their scores stay in the cache until they are read.
BATCH_SIZE = 2**14

# Rows whose predictions tell whether a classifier has several outputs.
FEW_ROWS = 100


class Header(NamedTuple):
    """What is known of the columns of scores before they are read.

    Attributes
    ----------
    n_columns : int or None
    names : list of str or None
        Their labels as text.
    labels : list or None
        The labels as they are, if scikit-learn can tell them.
    """

    n_columns: int | None = None
    names: list | None = None
    labels: list | None = None


@dataclass(frozen=True)
class Response:
    """How one fitted model is asked for its scores: found when fitting, used when predicting.

    Parameters
    ----------
    method : str or callable
        Name of a method of the model, or a function of the model and X that gives logits.
    divisor : float, default=1.0
        Of the logits.
    n_leaves : int, default=None
        Leaves of the tree that was made, of which each must have its column; None while fitting.
    names : list of str, default=None
        Classes that the columns were of, if the model has classes, or their labels.
    """

    method: object
    divisor: float = 1.0
    n_leaves: int | None = None
    names: list | None = None

    @classmethod
    def find(cls, estimator, response_method, temperature):
        """First usable method of a fitted estimator.

        Raises
        ------
        AttributeError
            If there is none, or not the one that was asked for.
        """
        if callable(response_method):
            return cls(response_method, temperature)
        last = innermost(estimator)
        has_centres = hasattr(last, "cluster_centers_") or hasattr(last, "subcluster_centers_")
        if response_method != "auto":
            if not _has_method(estimator, response_method):
                name, has_it = name_of(estimator), hasattr(estimator, response_method)
                fault = (
                    f"{name}.{response_method} is no method"
                    if has_it
                    else f"{name} has no method {shown(response_method)}"
                )
                raise AttributeError(
                    f"{fault}: give another response_method, or a function of the model and X that "
                    "gives logits."
                )
            if response_method == "transform" and not has_centres:
                raise AttributeError(
                    f"{name_of(estimator)} has no cluster centres, so its transform gives no "
                    "distances to them. Give response_method a function of the model and X that "
                    "gives logits."
                )
            return cls(response_method, temperature)
        for method in ("decision_function", "predict_log_proba", "predict_proba"):
            if _has_method(estimator, method):
                return cls(method, temperature)
        if has_centres and _has_method(estimator, "transform"):
            return cls("transform", temperature)
        raise AttributeError(
            f"{name_of(estimator)} gives no scores: it has neither decision_function, "
            "predict_log_proba nor predict_proba, nor cluster centres with transform. Give "
            "response_method a function of the model and X that returns (n, K) logits."
        )

    def scaled_by(self, mean_square):
        """The same for distances in units of their spread over the fitted rows.

        The divisor becomes 2 s^2 times the temperature, where s^2 is the mean squared distance
        of the rows to their own centre. If all rows sit on their centres, any unit will do.
        """
        return replace(self, divisor=self.divisor * 2 * (mean_square or 1.0))

    def of_tree(self, n_leaves, names):
        """The same once there is a tree, for rows that are compared with its leaves."""
        return replace(self, n_leaves=n_leaves, names=names)

    @property
    def kind(self):
        """What the scores are, as of `Logits`."""
        kinds = {"predict_proba": "probabilities", "transform": "distances"}
        return "logits" if callable(self.method) else kinds.get(self.method, "logits")

    def logits(self, estimator, X):
        """Ask the estimator for the logits of the rows of X.

        Returns
        -------
        logits : Logits of shape (n, K)

        Raises
        ------
        ValueError
            If what comes back is not one row for each row of X and one column for each class.
        """
        return joined(self.read(estimator, X), X)

    def header(self, X, table):
        """What X, which is or wraps a Dask array or data frame, tells of its scores' columns."""
        return Header()  # only the scores tell

    def scores_of_chunk(self, estimator, X):
        """Ask for the scores of one chunk of rows, which may be without any."""
        if _num_samples(X) == 0:
            return np.empty((0, 0))  # a model may refuse it
        return self.logits(estimator, X).scores

    def read(self, estimator, X):
        """Yield the logits of a batch of rows of X after another.

        In scikit-learn what a model says of a row does not depend on the others, but for the
        last digit: so batches are the same in `fit` and in `predict`. A function may be anything,
        and gets all rows.
        """
        if callable(self.method):
            yield self._ask(estimator, X)
            return
        (X,) = indexable(X)
        n_rows = max(_num_samples(X), 1)  # it is asked for no rows as well, and tells the error
        if self.n_leaves is None:
            refuse_outputs(estimator, _safe_indexing(X, slice(0, min(n_rows, FEW_ROWS))))
        n_columns = None
        for rows in gen_batches(n_rows, BATCH_SIZE):
            logits = self._ask(estimator, _safe_indexing(X, rows))
            if n_columns not in (None, logits.shape[1]):
                raise ValueError(
                    f"The model gives {n_columns} columns for the first {rows.start} rows, and "
                    f"{logits.shape[1]} for the next: each cluster needs its own for all rows."
                )
            n_columns, logits.first = logits.shape[1], rows.start
            yield logits

    def warn(self, logits):
        """Warn of rows that seem to be what they are not; a model knows what it gives."""

    def check(self, estimator, X):
        """Refuse a model whose columns are not the tree's leaves any more."""
        classes = classes_of(estimator)
        if classes is None or self.names is None:
            next(self.read(estimator, X))  # only the scores tell
        else:
            self._check_leaves(estimator, len(classes), name_of(estimator))

    def _ask(self, estimator, X):
        # A classifier may take the logarithm of a probability that is 0: we mean it to.
        with np.errstate(divide="ignore"):
            if callable(self.method):
                scores, name = self.method(estimator, X), "The response function"
            else:
                scores = getattr(estimator, self.method)(X)
                name = f"{name_of(estimator)}.{self.method}"
        labels = _labels_of(scores) if callable(self.method) else None
        scores = _check_scores(scores, _num_samples(X), name)
        if callable(self.method) or self.method == "decision_function":
            scores = _two_columns(scores, two_dimensions=self.method == "decision_function")
        if scores.ndim == 1:
            raise ValueError(f"{name} gave one number a row, not one for each cluster.")
        if self.kind == "distances":
            scores = _distances_to_clusters(innermost(estimator), scores)
        _check_columns(estimator, scores, name, self.method)
        if self.n_leaves is not None:
            self._check_leaves(estimator, scores.shape[1], name, labels)
        logits = as_logits(scores, self.kind, self.divisor)
        logits.names = leaf_names(estimator, scores.shape[1]) or labels
        return logits

    def _check_leaves(self, estimator, n_columns, name, labels=None):
        # A frozen model may have been fitted anew, and a function may give anything.
        if n_columns != self.n_leaves:
            raise ValueError(
                f"The model gives {n_columns} columns, the tree has {self.n_leaves} leaves: fit "
                f"again. {name} is not what it was when the tree was made."
            )
        names = leaf_names(estimator, n_columns) or labels
        if names != self.names and names is not None and self.names is not None:
            at, column, leaf = first_difference(names, self.names)
            raise ValueError(
                f"Column {at} of the model is named {column}, leaf {at} of the tree {leaf}: fit "
                "again. The model is not what it was when the tree was made."
            )


@dataclass(frozen=True)
class Precomputed(Response):
    """Scores that are X itself, where there is no model to be asked.

    Parameters
    ----------
    input : {"logits", "probabilities"}, default="logits"
        What X is.
    """

    method: object = "precomputed"
    input: str = "logits"

    @property
    def kind(self):
        """What the scores are, as of `Logits`."""
        return self.input

    def logits(self, estimator, X):
        """Logits that X is."""
        logits = as_logits(check_logits(X), self.kind, self.divisor)
        logits.names, logits.labels = column_names(X), feature_labels(X)
        return logits

    def warn(self, logits):
        """Warn of rows that look like probabilities."""
        warn_if_probabilities(logits.look_like_probabilities(), logits.shape[0])

    def header(self, X, table):
        """What X, which is or wraps a Dask array or data frame of scores, tells of its columns."""
        check_dtype("logits", table)
        sample = sample_of(X)
        n_columns = len(sample.columns) if is_frame(X) else table.shape[1]
        if np.isnan(n_columns) or not n_columns:
            raise ValueError(f"logits must have one column for each leaf, got {n_columns} columns.")
        return Header(n_columns, column_names(sample), feature_labels(sample))

    def scores_of_chunk(self, estimator, X):
        """One chunk of scores; where it is no array of numbers, whoever reads it says so."""
        return as_array("logits", X, accept_sparse=True) if hasattr(X, "columns") else X

    def read(self, estimator, X):
        """Yield the logits that X is, all at once."""
        yield self.logits(estimator, X)


def joined(batches, X):
    """Logits of all rows of X, from those of one batch after another."""
    first, n_rows = next(batches), _num_samples(X)
    return first if first.shape[0] == n_rows else first.followed_by(batches, n_rows)


def _has_method(estimator, name):
    return callable(getattr(estimator, name, None))


def _labels_of(scores):
    """Labels of the columns that a function gave, or None where they are but numbers."""
    labels = column_names(scores)
    return None if labels == list(map(str, range(len(labels or [])))) else labels


def leaf_names(estimator, n_leaves):
    """Names of the leaves: the estimator's classes, or None for a clusterer."""
    classes = classes_of(estimator)
    if classes is None or len(classes) != n_leaves:
        return None
    return [str(name) for name in classes]


def _check_scores(scores, n_rows, name):
    if isinstance(scores, list) and any(np.ndim(part) > 1 for part in scores):
        raise ValueError(f"{name} gave a list of arrays, one for each output: one is needed.")
    given = f"What {name.replace('The response', 'the response')} gave"
    scores = as_array(given, scores, accept_sparse=True)
    scores = scores.tocsr() if issparse(scores) else scores
    if scores.ndim not in (1, 2) or scores.shape[0] != n_rows or 0 in scores.shape:
        raise ValueError(
            f"{name} gave an array of shape {scores.shape} for {n_rows} samples, "
            "not one row of scores for each."
        )
    return scores


def _two_columns(scores, two_dimensions):
    """Logits (0, f) of the two classes, from the one column of a binary decision function."""
    if scores.ndim == 2 and not (two_dimensions and scores.shape[1] == 1):
        return scores
    scores = (scores.toarray() if issparse(scores) else scores).reshape(-1)
    return np.column_stack([np.zeros_like(scores), scores])


def _check_columns(estimator, scores, name, method):
    classes = classes_of(estimator)
    if classes is None:
        return
    n_columns = scores.shape[1]
    # Three classes have three pairs: the number of columns alone does not tell.
    last = innermost(estimator)
    pairs = (
        method == "decision_function"
        and n_columns > 2
        and getattr(last, "decision_function_shape", None) == "ovo"
    )
    if not pairs and n_columns == len(classes):
        return
    raise ValueError(
        f"{name} gave {n_columns} columns for {len(classes)} classes"
        + (", one for each pair of classes" if pairs else "")
        + ". One column for each class is needed: for one-vs-one models set "
        "decision_function_shape='ovr', or choose another response_method."
    )


def _distances_to_clusters(model, distances):
    """Distance to the nearest subcluster of each cluster; centres are clusters in most models."""
    if not hasattr(model, "subcluster_labels_"):
        return distances
    order = np.argsort(model.subcluster_labels_, kind="stable")
    _, starts = np.unique(model.subcluster_labels_[order], return_index=True)
    return np.minimum.reduceat(distances[:, order], starts, axis=1)
