"""Logits of the rows that an `L2HClustering` is given: to fit, and as they were fitted.

Rows are whatever the inner model takes, logits themselves, or a collection of Dask's.
"""

from contextlib import contextmanager

import numpy as np
from sklearn.frozen import FrozenEstimator
from sklearn.utils.validation import validate_data

from ..exceptions.arguments import check_weights
from ..exceptions.arrays import column_names, has_dimensions, refuse_masked
from ..exceptions.texts import shown_text
from ..logits.inner_model import as_rows
from ..logits.kinds import (
    check_dtype,
    check_logits,
    import_dask,
    is_dask,
    is_frame,
    refuse_dask,
    sample_of,
)
from ..logits.matrix import as_logits, warn_if_probabilities
from ..merge.distributed.dask_arrays import (
    as_dask_array,
    map_chunks,
)
from ..merge.distributed.dask_chunks import dask_logits, dask_scores
from ..tree.names import check_order

__all__ = [
    "check_columns",
    "check_dask",
    "is_precomputed",
    "logits_of_rows",
    "logits_to_fit",
    "map_rows",
    "rows_of",
]


def is_precomputed(model):
    """Whether a model is given logits, and has no inner model."""
    return isinstance(model.estimator, str) and model.estimator == "precomputed"


def rows_of(estimator, X):
    """Rows that can be read more than once, and of which an inner model does not read too much."""
    X = as_rows(X)
    if not isinstance(estimator, str):
        # scikit-learn's models read what is below a mask.
        refuse_masked("X", X)
    return X


def check_dask(model):
    """Refuse what cannot be fitted on the rows of a Dask array, which stay where they are."""
    import_dask()
    if not is_precomputed(model) and not isinstance(model.estimator, FrozenEstimator):
        raise TypeError(
            f"{type(model.estimator).__name__} cannot be fitted on a Dask array: fit it on rows "
            "that fit in memory, and give FrozenEstimator(model)."
        )


def check_columns(model, X, n_columns, *, reset=False):
    """Check the columns of X as those that a model was fitted on, or with `reset` keep their names.

    That is scikit-learn's, but for columns that it does not know: those of one name, which some of
    its versions refuse, those of xarray, and those whose labels are not texts.
    """
    names = column_names(X)
    known = None if reset else getattr(model, "feature_names_in_", None)
    if names is None or not (has_dimensions(X) or len(set(names)) < len(names)):
        validate_data(model, X, skip_check_array=True, reset=reset)
    elif known is None:
        validate_data(model, np.empty((1, n_columns)), skip_check_array=True, reset=reset)
        if reset:
            model.feature_names_in_ = np.array(names, dtype=object)
    elif names != known.tolist():
        _refuse_columns(names, known.tolist())
    if reset or names is None:
        return
    check_order(model.tree_, names)
    # Labels that count the columns say nothing of them.
    fitted, counted = list(model.tree_.names), list(map(str, range(n_columns)))
    if known is None and names != fitted and counted not in (names, fitted):
        _refuse_columns(names, fitted)


def _refuse_columns(names, fitted):
    wanted, given = (
        ", ".join(shown_text(name) for name in labels[:10]) + ", ..." * (len(labels) > 10)
        for labels in (fitted, names)
    )
    raise ValueError(
        f"The columns of X should be those of fit, in their order: {wanted}, got {given}."
    )


@contextmanager
def logits_to_fit(model, estimator, response, X, weights):
    """Logits, or chunks of them, the response as it is scaled to them, and weights."""
    if is_dask(X):
        persist = bool(model.persist)
        if is_precomputed(model):
            kind, divisor = response.kind, response.divisor
            logits = dask_logits(X, weights, kind=kind, divisor=divisor, persist=persist)
        else:
            logits, response = dask_scores(response, estimator, X, weights, persist=persist)
        with logits:
            yield logits, response, None
        return
    if is_precomputed(model):
        logits = as_logits(check_logits(X), response.kind, response.divisor)
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
    X = rows_of(estimator, X)
    if is_dask(X):
        if isinstance(estimator, str):
            check_dtype("logits", X if is_frame(X) else as_dask_array(X))
            check_columns(model, sample_of(X), X.shape[1])
        return map_chunks(function, response, estimator, X, shape, dtype)
    read = [logits_of_rows(model, X)] if isinstance(estimator, str) else response.read(estimator, X)
    return np.concatenate([function(logits) for logits in read])


def logits_of_rows(model, X):
    """Logits of all rows of X, as they were fitted."""
    X = rows_of(model.estimator_, X)
    if isinstance(model.estimator_, str):
        scores = check_logits(X)
        check_columns(model, X, scores.shape[1])
        logits = as_logits(scores, model._response.kind, model._response.divisor)
        warn_if_probabilities(logits.look_like_probabilities(), logits.shape[0])
        return logits
    refuse_dask(X)
    return model._response.logits(model.estimator_, X)
