"""Logits of the rows that an `L2HClustering` is given: to fit, and as they were fitted.

Rows are whatever the inner model takes, logits themselves, or a collection of Dask's.
"""

from contextlib import contextmanager

import numpy as np
from sklearn.frozen import FrozenEstimator
from sklearn.utils.validation import validate_data

from .arguments import check_weights
from .build import check_logits
from .dask_arrays import is_dask, map_chunks, refuse_dask, sample_of
from .dask_graph import import_dask
from .distributed import dask_logits, dask_scores
from .inner_model import as_rows
from .logits import as_logits

__all__ = ["check_dask", "is_precomputed", "logits_of_rows", "logits_to_fit", "map_rows"]


def is_precomputed(model):
    """Whether a model is given logits, and has no inner model."""
    return isinstance(model.estimator, str) and model.estimator == "precomputed"


def check_dask(model):
    """Refuse what cannot be fitted on the rows of a Dask array, which stay where they are."""
    import_dask()
    if not is_precomputed(model) and not isinstance(model.estimator, FrozenEstimator):
        raise TypeError(
            f"{type(model.estimator).__name__} cannot be fitted on a Dask array: fit it on rows "
            "that fit in memory, and give FrozenEstimator(model)."
        )


@contextmanager
def logits_to_fit(model, estimator, response, X, weights):
    """Logits, or chunks of them, the response as it is scaled to them, and weights."""
    if is_dask(X):
        persist = bool(model.persist)
        if is_precomputed(model):
            logits = dask_logits(X, weights, divisor=response.divisor, persist=persist)
        else:
            logits, response = dask_scores(response, estimator, X, weights, persist=persist)
        with logits:
            yield logits, response, None
        return
    if is_precomputed(model):
        logits = as_logits(check_logits(X), divisor=response.divisor)
    else:
        logits = response.logits(estimator, X)
    weights = check_weights(weights, logits.shape[0])
    response = response.scaled_to(logits, weights)
    logits.divisor = response.divisor
    yield logits, response, weights


def map_rows(model, function, X, shape=(), dtype=np.intp):
    """What a function says of the logits of each row, of some shape; lazily of Dask's rows."""
    # As the model was fitted, whatever its parameters have been set to since.
    estimator, response = model.estimator_, model._response
    X = as_rows(X)
    if is_dask(X):
        if isinstance(estimator, str):
            validate_data(model, sample_of(X), skip_check_array=True, reset=False)
        return map_chunks(function, response, estimator, X, shape, dtype)
    read = [logits_of_rows(model, X)] if isinstance(estimator, str) else response.read(estimator, X)
    return np.concatenate([function(logits) for logits in read])


def logits_of_rows(model, X):
    """Logits of all rows of X, as they were fitted."""
    X = as_rows(X)
    if isinstance(model.estimator_, str):
        scores = check_logits(X)
        validate_data(model, X, skip_check_array=True, reset=False)
        return as_logits(scores, divisor=model._response.divisor)
    refuse_dask(X)
    return model._response.logits(model.estimator_, X)
