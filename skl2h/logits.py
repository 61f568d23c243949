"""Any model's scores, as an (n, K) matrix of logits that is read in blocks of rows.

scores    what the model returns: logits, probabilities or distances, in any dtype
logits    float64, made from a block of scores when the block is read, and then dropped
leaf      the column with the largest logit of a row, the lowest one on ties

A model is asked by the name of a method; nothing is ever guessed from the numbers.
"""

from dataclasses import dataclass

import numpy as np
from sklearn import get_config
from sklearn.frozen import FrozenEstimator
from sklearn.utils import gen_batches

__all__ = ["Logits", "Response", "leaf_names"]

# A block and what is computed from it stay in the processor's cache.
CACHE_BYTES = 6 * 2**20


class Logits:
    """View of an (n, K) matrix of scores as logits; slicing gives another view.

    Parameters
    ----------
    scores : ndarray of shape (n, K)
        Never copied or changed.
    kind : {"logits", "probabilities", "distances"}
        The logits are the scores, their logarithms, or minus their squares...
    divisor : float
        ... divided by this.
    """

    def __init__(self, scores, kind="logits", divisor=1.0):
        # A memory map as a plain array: its own class costs time at every slice.
        self.scores = np.asarray(scores)
        self.kind = kind
        self.divisor = divisor

    @property
    def shape(self):
        """Rows and leaves."""
        return self.scores.shape

    def __getitem__(self, rows):
        return Logits(self.scores[rows], self.kind, self.divisor)

    def values(self):
        """All logits at once, in a new float64 array that the caller may change."""
        return self._convert(np.array(self.scores, dtype=np.float64))

    def at(self, rows, columns=None):
        """Logits at an index of rows, and one of columns, in a new array of float32 or float64."""
        if columns is None:
            scores = np.take(self.scores, rows, axis=0)
        else:
            scores = self._entries(rows, columns)
        if self.kind == "logits" and self.divisor == 1 and scores.dtype == np.float32:
            return scores
        return self._convert(scores.astype(np.float64, copy=False))

    def _entries(self, rows, columns):
        if not self.scores.flags.c_contiguous:
            return self.scores[rows, columns]
        # One index instead of two: NumPy waits for several entries of a large matrix at once.
        return self.scores.reshape(-1).take(rows * self.shape[1] + columns)

    def _convert(self, values):
        # log 0 is -inf, which is meant; what else is not finite is told by `check_rows`.
        with np.errstate(all="ignore"):
            if self.kind == "probabilities":
                np.log(values, out=values)
            elif self.kind == "distances":
                np.negative(np.square(values, out=values), out=values)
            if self.divisor != 1:
                values /= self.divisor
        return values

    def rows_per_block(self):
        """Rows that fit the cache, together with what is computed from them."""
        # Three arrays of the block's size are alive at once: logits, a mask, an exponential.
        budget = min(CACHE_BYTES, get_config()["working_memory"] * 2**20)
        return max(int(budget // (3 * 8 * self.shape[1])), 1)

    def blocks(self):
        """Slices of rows, the same for every number of workers."""
        return list(gen_batches(self.shape[0], self.rows_per_block()))

    def read(self):
        """Yield (rows, values, leaves) of every block.

        Raises
        ------
        ValueError
            If a row has no leaf; the first one is named.
        """
        for rows in self.blocks():
            values = self[rows].values()
            leaves = values.argmax(axis=1)
            self.check_rows(first_bad_row(values, leaves), rows.start)
            yield rows, values, leaves

    def check_rows(self, bad, start=0):
        """Raise the error of row ``start + bad``, unless `bad` is None."""
        if bad is None:
            return
        row = start + bad
        scores = np.asarray(self.scores[row], dtype=np.float64)
        values = self[row : row + 1].values()[0]
        if np.isnan(scores).any():
            fault = f"NaN in column {np.isnan(scores).argmax()}"
        elif self.kind == "probabilities" and (scores < 0).any():
            fault = f"a negative probability in column {(scores < 0).argmax()}"
        elif np.isposinf(values).any():
            fault = f"inf in column {np.isposinf(values).argmax()}"
        elif self.kind == "probabilities":
            fault = "no probability above 0"
        elif np.isfinite(scores).any():
            fault = f"numbers too large to be divided by {self.divisor:g}"
        else:
            fault = "nothing but -inf"
        raise ValueError(
            f"Row {row} of the {self.kind} has {fault}, so it belongs to no leaf: "
            "remove or repair such rows."
        )


def first_bad_row(values, labels):
    """First row of a block whose largest logit is not finite, or None.

    argmax stops at NaN, so the largest entry tells NaN, +inf and rows of -inf alike.
    """
    finite = np.isfinite(values[np.arange(len(values)), labels])
    return None if finite.all() else int(finite.argmin())


@dataclass(frozen=True)
class Response:
    """How one fitted model is asked for its scores: found when fitting, used when predicting.

    Parameters
    ----------
    method : str or callable
        Name of a method of the model, or a function of the model and X that gives logits.
    divisor : float, default=1.0
        Of the logits.
    """

    method: object
    divisor: float = 1.0

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
        last = _last_step(estimator)
        has_centres = hasattr(last, "cluster_centers_") or hasattr(last, "subcluster_centers_")
        if response_method != "auto":
            if not hasattr(estimator, response_method):
                raise AttributeError(
                    f"{_name(estimator)} has no method {response_method!r}: give another "
                    "response_method, or a function of the model and X that gives logits."
                )
            if response_method == "transform" and not has_centres:
                raise AttributeError(
                    f"{_name(estimator)} has no cluster centres, so its transform gives no "
                    "distances to them. Give response_method a function of the model and X that "
                    "gives logits."
                )
            return cls(response_method, temperature)
        for method in ("decision_function", "predict_log_proba", "predict_proba"):
            if hasattr(estimator, method):
                return cls(method, temperature)
        if has_centres and hasattr(estimator, "transform"):
            return cls("transform", temperature)
        raise AttributeError(
            f"{_name(estimator)} gives no scores: it has neither decision_function, "
            "predict_log_proba nor predict_proba, nor cluster centres with transform. Give "
            "response_method a function of the model and X that returns (n, K) logits."
        )

    def scaled_to(self, logits, weights=None):
        """The same for distances in units of their spread over the fitted rows.

        The divisor becomes 2 s^2 times the temperature, where s^2 is the mean squared distance
        of the rows to their own centre. If all rows sit on their centres, any unit will do.
        """
        if logits.kind != "distances":
            return self
        squares = np.square(logits.scores.min(axis=1), dtype=np.float64)
        if weights is not None:
            squares *= weights / (np.mean(weights) or 1.0)
        return Response(self.method, self.divisor * 2 * (squares.mean() or 1.0))

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
        # A classifier may take the logarithm of a probability that is 0: we mean it to.
        with np.errstate(divide="ignore"):
            if callable(self.method):
                scores, name = self.method(estimator, X), "The response function"
            else:
                scores = getattr(estimator, self.method)(X)
                name = f"{_name(estimator)}.{self.method}"
        n_rows = X.shape[0] if hasattr(X, "shape") else len(X)
        scores = _check_scores(scores, n_rows, name)
        kind = "logits"
        if not callable(self.method):
            kind = {"predict_proba": "probabilities", "transform": "distances"}.get(
                self.method, kind
            )
        if callable(self.method) or self.method == "decision_function":
            scores = _two_columns(scores, two_dimensions=self.method == "decision_function")
        if scores.ndim == 1:
            raise ValueError(f"{name} gave one number a row, not one for each cluster.")
        if kind == "distances":
            scores = _distances_to_clusters(_last_step(estimator), scores)
        _check_columns(estimator, scores, name, self.method)
        return Logits(scores, kind, self.divisor)


def leaf_names(estimator, n_leaves):
    """Names of the leaves: the estimator's classes, or None for a clusterer."""
    classes = getattr(estimator, "classes_", None)
    if classes is None or len(classes) != n_leaves:
        return None
    return [str(name) for name in classes]


def _check_scores(scores, n_rows, name):
    if isinstance(scores, list):
        raise ValueError(f"{name} gave a list of arrays, one for each output: one is needed.")
    scores = np.asarray(scores)
    if scores.ndim not in (1, 2) or len(scores) != n_rows or 0 in scores.shape:
        raise ValueError(
            f"{name} gave an array of shape {scores.shape} for {n_rows} samples, "
            "not one row of scores for each."
        )
    if scores.dtype.kind not in "biuf":
        raise ValueError(f"{name} gave an array of {scores.dtype}, not of real numbers.")
    return scores


def _two_columns(scores, two_dimensions):
    """Logits (0, f) of the two classes, from the one column of a binary decision function."""
    if scores.ndim == 2 and not (two_dimensions and scores.shape[1] == 1):
        return scores
    scores = scores.reshape(len(scores))
    return np.column_stack([np.zeros_like(scores), scores])


def _check_columns(estimator, scores, name, method):
    classes = getattr(estimator, "classes_", None)
    n_columns = scores.shape[1]
    # Three classes have three pairs: the number of columns alone does not tell.
    last = _last_step(estimator)
    pairs = (
        method == "decision_function"
        and n_columns > 2
        and getattr(last, "decision_function_shape", None) == "ovo"
    )
    if not pairs and (classes is None or n_columns == len(classes)):
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


def _last_step(estimator):
    """The model itself, inside pipelines, searches, frozen and other meta-estimators."""
    while True:
        if isinstance(estimator, FrozenEstimator):
            estimator = estimator.estimator
        elif hasattr(estimator, "steps"):
            estimator = estimator.steps[-1][1]
        else:
            inner = ("best_estimator_", "final_estimator_", "estimator_")
            found = [getattr(estimator, name) for name in inner if hasattr(estimator, name)]
            if not found:
                return estimator
            estimator = found[0]


def _name(estimator):
    return type(_last_step(estimator)).__name__
