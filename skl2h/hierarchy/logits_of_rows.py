"""Logits of the rows that a fitted `L2HClustering` is given, as it was fitted.

Rows are whatever the inner model takes, logits themselves, or a collection of Dask.
"""

import numpy as np

from ..logits.inner_model import rows_of
from ..logits.kinds import is_dask, refuse_dask, sample_of
from ..logits.matrix import warn_if_probabilities
from ..logits.of_models import Precomputed
from ..merge.distributed.dask_arrays import as_matrix, map_chunks
from .columns import check_columns

__all__ = ["logits_of_rows", "map_rows"]


def map_rows(model, function, X, shape=(), dtype=np.intp):
    """Call a function of the logits of each row, which gives some shape; lazily for Dask's rows."""
    # As the model was fitted, whatever its parameters have been set to since.
    estimator, response = model.estimator_, model.response_
    X = rows_of(estimator, X)
    if not is_dask(X):
        return np.concatenate([function(logits) for logits in _read(model, X)])
    if isinstance(response, Precomputed):
        labelled, X = sample_of(X), as_matrix(X)
        check_columns(model, labelled, X.shape[1])
    return map_chunks(function, response, estimator, X, shape, dtype)


def logits_of_rows(model, X):
    """Logits of all rows of X, which are in memory."""
    refuse_dask(X)
    X = rows_of(model.estimator_, X)
    if isinstance(model.response_, Precomputed):
        (logits,) = _read(model, X)
        return logits
    return model.response_.logits(model.estimator_, X)


def _read(model, X):
    """Logits of one batch of rows after another. Columns of logits must be those of `fit`."""
    if not isinstance(model.response_, Precomputed):
        return model.response_.read(model.estimator_, X)
    logits = model.response_.logits(model.estimator_, X)
    check_columns(model, X, logits.shape[1])
    warn_if_probabilities(logits.look_like_probabilities(), logits.shape[0])
    return [logits]
