"""The inner model of an `L2HClustering`: what it may be, how it is fitted, what it tells.

Without an inner model, with ``"precomputed"``, the response is a `Precomputed`, and the estimator
stays that text.
"""

from sklearn import get_config
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils.metadata_routing import process_routing

from ..exceptions.arguments import (
    as_choice,
    as_flag,
    as_index,
    as_number,
    as_verbosity,
    check_n_jobs,
)
from ..exceptions.arrays import refuse_masked
from ..exceptions.texts import shown
from ..logits.inner_model import (
    is_precomputed,
    refuse_but_weights,
    refuse_metadata,
    refuse_other_kinds,
    refuse_targets,
    rows_of,
)
from ..logits.kinds import is_dask
from ..logits.matrix import check_input
from ..logits.of_models import Precomputed, Response
from ..merge.aggregations import check_aggregation
from ..merge.progress import Task

__all__ = ["check_parameters", "fit_inner"]


def check_parameters(model):
    """Refuse parameters of an `L2HClustering` that are out of range, or of another type."""
    estimator = model.estimator
    can_fit = hasattr(estimator, "fit") and not isinstance(estimator, type)
    if not is_precomputed(estimator) and not can_fit:
        raise TypeError(
            "estimator must be a clusterer or classifier with fit, or 'precomputed', "
            f"got {shown(estimator)}."
        )
    as_index("n_clusters", model.n_clusters, None, "auto")
    as_number("temperature", model.temperature)
    method = model.response_method
    if not callable(method) and not isinstance(method, str):
        raise TypeError(f"response_method must be a name or a callable, got {shown(method)}.")
    check_aggregation(model.aggregation)
    as_choice("method", model.method, ("l2h", "affinity"))
    if model.method != "l2h" and model.aggregation != "sum_of_means":
        raise ValueError(
            f"aggregation={shown(model.aggregation)} says how method='l2h' scores groups, which "
            f"method={shown(model.method)} does not: leave aggregation out."
        )
    check_input(model.input)
    if model.input != "logits" and not is_precomputed(estimator):
        raise ValueError(
            f"input={shown(model.input)} says what X is for estimator='precomputed'; an inner "
            "model is asked for its scores. Leave input out, and choose what to ask with "
            "response_method, such as 'predict_proba'."
        )
    check_n_jobs(model.n_jobs)
    as_verbosity("verbose", model.verbose)
    as_flag("persist", model.persist)


def fit_inner(model, X, y, params):
    """Begin the fit of an `L2HClustering` with that of a clone of its inner model.

    Returns
    -------
    X : object
        Rows that can be read more than once.
    estimator : estimator or "precomputed"
        The fitted clone.
    response : Response
        How it is asked for scores.
    task : Task
        The whole fit, to be ended by the caller.
    """
    estimator, temperature = model.estimator, float(model.temperature)
    _check_dask(estimator, X)
    X = rows_of(estimator, X)
    weights = params.get("sample_weight")
    task = Task.of_fit(model, 1 if is_precomputed(estimator) else 2, X, y, weights)
    if is_precomputed(estimator):
        refuse_but_weights("fit(logits)", params.keys())
        return X, estimator, Precomputed(divisor=temperature, input=model.input), task
    # A function may make scores of any model.
    is_free = callable(model.response_method)
    refuse_masked("y", y)
    if not is_free:
        refuse_other_kinds(estimator)
        refuse_targets(estimator, y)
    is_routed = get_config()["enable_metadata_routing"]
    if isinstance(estimator, FrozenEstimator) or not is_routed:
        refuse_metadata(estimator, params.keys())
    if is_routed:
        params = process_routing(model, "fit", **params).estimator.fit
    estimator = clone(estimator)
    with task.part("fit-estimator").of_inner(estimator):
        estimator = estimator.fit(X, y, **params)
    if not is_free:
        refuse_other_kinds(estimator)  # a meta-estimator may tell only now
    return X, estimator, Response.find(estimator, model.response_method, temperature), task


def _check_dask(estimator, X):
    """Refuse a model that cannot be fitted on X, where X is of Dask and its rows stay there."""
    is_fitted = is_precomputed(estimator) or isinstance(estimator, FrozenEstimator)
    if is_dask(X) and not is_fitted:
        raise TypeError(
            f"{type(estimator).__name__} cannot be fitted on a Dask array: fit it on rows "
            "that fit in memory, and give FrozenEstimator(model)."
        )
