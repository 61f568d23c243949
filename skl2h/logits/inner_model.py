"""What an inner model must be, and what it is given: checked before it is asked for scores.

kind    what scikit-learn's tags say that a model is, such as a classifier; a model of another
        library may have no tags, and is not refused for that
"""

from collections.abc import Iterable, Mapping
from inspect import Parameter, signature

import numpy as np
from scipy.sparse import issparse
from sklearn.base import OutlierMixin
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils import Tags
from sklearn.utils.multiclass import type_of_target

from ..exceptions.arrays import refuse_masked
from ..exceptions.categories import UnseenClassWarning, warn
from ..exceptions.texts import first_few, shown_text

__all__ = [
    "as_rows",
    "classes_of",
    "innermost",
    "is_precomputed",
    "name_of",
    "refuse_but_weights",
    "refuse_metadata",
    "refuse_other_kinds",
    "refuse_outputs",
    "refuse_targets",
    "rows_of",
    "tags_of",
    "warn_of_unseen",
]

# Why models of some kinds, as tags call them, have no hierarchy of clusters.
NO_CLUSTERS = {
    "outlier_detector": "is an outlier detector, which knows two kinds of rows and no clusters",
    "regressor": "is a regressor, which predicts numbers and knows no clusters",
}
WAY_OUT = (
    "Or give response_method a function of the model and X that returns (n, K) logits, if it has "
    "any."
)

# What to do where the rows have weights and the inner model takes none.
TREE_ALONE = (
    "To weigh the rows of the tree alone, fit the model first and give FrozenEstimator(model)."
)
ROUTING = "Or enable metadata routing, sklearn.set_config(enable_metadata_routing=True)"


def innermost(estimator):
    """The model itself, inside pipelines, searches, frozen and other meta-estimators."""
    while (inside := _inside(estimator)) is not None:
        estimator = inside
    return estimator


def _inside(estimator):
    """The model that a meta-estimator asks, or None."""
    if isinstance(estimator, FrozenEstimator):
        return estimator.estimator
    if isinstance(estimator, Pipeline):
        return estimator.steps[-1][1] if estimator.steps else None
    # An ensemble's `estimator_` is what its members were cloned from.
    names = ["best_estimator_", "final_estimator_"]
    names += [] if hasattr(estimator, "estimators_") else ["estimator_"]
    return next((getattr(estimator, name) for name in names if hasattr(estimator, name)), None)


def name_of(estimator):
    """Class of the innermost model."""
    return type(innermost(estimator)).__name__


def is_precomputed(estimator):
    """Whether the scores are given, and there is no inner model."""
    return isinstance(estimator, str) and estimator == "precomputed"


def rows_of(estimator, X):
    """Rows that can be read more than once, and of which an inner model does not read too much."""
    X = as_rows(X)
    if not is_precomputed(estimator):
        # scikit-learn's models read what is below a mask.
        refuse_masked("X", X)
    return X


def as_rows(X):
    """X itself, or a list of its rows if they can be gone through but not cut into batches.

    Models of texts take such a generator, a deque or the values of a mapping, and here it is read
    more than once.
    """
    is_array = any(hasattr(X, name) for name in ("shape", "__array__", "__dask_graph__"))
    if is_array or isinstance(X, (list, str, bytes, type)):
        return X
    if isinstance(X, Mapping):
        raise TypeError(
            f"X is a {type(X).__name__}, which has keys and values: give list(X.values()), or "
            "another sequence of its rows."
        )
    if hasattr(X, "__getitem__"):
        try:
            X[:0]
        except Exception:  # whatever a container of one row at a time raises
            # It need not say where it ends when it is gone through by number.
            by_number = hasattr(X, "__len__") and not isinstance(X, Iterable)
            return [X[row] for row in range(len(X))] if by_number else list(X)
        return X
    return list(X) if isinstance(X, Iterable) else X


def classes_of(estimator):
    """Classes of a fitted classifier; None if it has none, or a list of them for each output."""
    classes = getattr(estimator, "classes_", None)
    if isinstance(classes, list) and any(np.ndim(some) for some in classes):
        return None
    return classes


def tags_of(estimator):
    """Tags of a model, or None if it has none, or holds one that has none."""
    while isinstance(estimator, FrozenEstimator):
        estimator = estimator.estimator
    if isinstance(estimator, type) or not hasattr(estimator, "__sklearn_tags__"):
        return None
    try:
        tags = estimator.__sklearn_tags__()  # get_tags of scikit-learn 1.6 warns of a mixin alone
    except Exception:  # of a mixin alone, an empty pipeline, or whatever another library raises
        return None
    return tags if isinstance(tags, Tags) else None


def _kind_of(estimator):
    """Kind of the outermost model that says so, or None."""
    while estimator is not None:
        tags = tags_of(estimator)
        # Before scikit-learn had tags, an attribute named the kind of a model.
        kind = getattr(estimator, "_estimator_type", None) if tags is None else tags.estimator_type
        if kind is None and isinstance(estimator, OutlierMixin):
            kind = "outlier_detector"
        if kind is not None or hasattr(estimator, "classes_"):
            return kind
        estimator = _inside(estimator)
    return None


def refuse_other_kinds(estimator):
    """Refuse a model, fitted or not, that is neither a clusterer nor a classifier."""
    kind = _kind_of(estimator)
    if isinstance(kind, str) and kind in NO_CLUSTERS:
        raise TypeError(
            f"{name_of(estimator)} {NO_CLUSTERS[kind]}: give a clusterer or a classifier. {WAY_OUT}"
        )


def refuse_targets(estimator, y):
    """Refuse classes of which a row can have several at once, for a model known as a classifier."""
    # A frozen model is not fitted.
    is_fitted = y is not None and not isinstance(estimator, FrozenEstimator)
    if not is_fitted or _kind_of(estimator) != "classifier":
        return
    try:
        # It warns of many classes in a column, which the model does as well.
        kind = type_of_target(y) if np.ndim(y) > 1 else "one column"
        is_one_hot = kind == "multilabel-indicator" and _is_one_hot(y)
    except (TypeError, ValueError):
        return  # the model may take it all the same, or say better what is wrong
    if is_one_hot and tags_of(estimator) is None:
        return  # models of other libraries may want it so
    if is_one_hot:
        raise ValueError(
            f"y has a column for each class, and a single 1 in each row ({kind}), which "
            f"{name_of(estimator)} takes for several outputs: give the classes, y.argmax(axis=1)."
        )
    if kind.endswith(("indicator", "multioutput")):
        _refuse_several(
            f"y has several outputs for each row ({kind})",
            "fit one output at a time, such as y[:, 0]",
        )


def _is_one_hot(indicator):
    indicator = indicator if issparse(indicator) else np.asarray(indicator)
    return bool(np.all(indicator.sum(axis=1) == 1))


def refuse_outputs(estimator, X):
    """Refuse a fitted classifier that predicts several outputs for the rows of X, a few of them."""
    tags = tags_of(estimator)
    if tags is None or tags.estimator_type != "classifier":
        return
    n_outputs = _n_outputs(estimator) or _n_predicted(estimator, X)
    if n_outputs > 1:
        _refuse_several(
            f"{name_of(estimator)} predicts {n_outputs} outputs for each row",
            "fit one output at a time, such as y[:, 0], or where each row of y has a single 1, the "
            "classes, y.argmax(axis=1)",
        )


def _n_outputs(estimator):
    """Outputs of a fitted classifier of which its attributes tell that they are several, or 0."""
    while estimator is not None:
        classes = getattr(estimator, "classes_", ())
        if classes_of(estimator) is None and len(classes) > 1:
            return len(classes)
        for name in ("label_binarizer_", "_label_binarizer"):
            kind = getattr(getattr(estimator, name, None), "y_type_", "")
            if kind.startswith("multilabel"):
                return len(classes)
        estimator = _inside(estimator)
    return 0


def _n_predicted(estimator, X):
    """Outputs of which a classifier predicts several for some rows, or 0; scores are no outputs."""
    try:
        predicted = estimator.predict(X)
        predicted = predicted.toarray() if issparse(predicted) else np.asarray(predicted)
    except Exception:  # nothing else needs it
        return 0
    if predicted.ndim != 2:
        return 0
    if predicted.dtype.kind in "biuf" and np.isin(predicted, (0, 1)).all():
        is_one = _is_one_hot(predicted)
    else:
        is_one = predicted.dtype.kind == "f"
    return 0 if is_one else predicted.shape[1]


def _refuse_several(fault, remedy):
    raise ValueError(f"{fault}, but a row is in one leaf of a tree: {remedy}. {WAY_OUT}")


def refuse_metadata(estimator, names):
    """Refuse arguments by name that the ``fit`` of a model does not take; for want of routing."""
    if isinstance(estimator, FrozenEstimator):
        refuse_but_weights("fit of a frozen model", names)
        return
    if not hasattr(estimator, "fit"):
        return
    if isinstance(estimator, Pipeline):
        for name in sorted(names):
            _refuse_of_steps(estimator, name)
        return
    try:
        parameters = signature(estimator.fit).parameters
    except (TypeError, ValueError):
        return  # it was not written in Python
    if any(parameter.kind is Parameter.VAR_KEYWORD for parameter in parameters.values()):
        # A search, or another meta-estimator, passes weights on, and keeps some others to itself;
        # what its own parameters name is its own affair.
        passed = {name for name in names - parameters.keys() if name.endswith("sample_weight")}
        refuse_metadata(getattr(estimator, "estimator", None), passed)
        return
    for name in sorted(names - parameters.keys()):
        raise TypeError(
            f"{type(estimator).__name__}.fit takes no {name}."
            + (f" {TREE_ALONE} {ROUTING}." if name == "sample_weight" else "")
        )


def refuse_but_weights(fit, names):
    """Refuse arguments by name of a ``fit`` that fits no inner model, and weighs the tree alone."""
    unknown = sorted(names - {"sample_weight"})
    if unknown:
        others = shown_text(", ".join(unknown))
        raise TypeError(f"{fit} takes sample_weight, but not {others}.")


def _refuse_of_steps(pipeline, name):
    steps = dict(pipeline.steps)
    step, is_of_step, name = name.partition("__")
    if is_of_step and step not in steps:
        raise TypeError(
            f"{step}__{name} is for no step of the {type(pipeline).__name__}: they are "
            f"{', '.join(steps)}."
        )
    if is_of_step:
        refuse_metadata(steps[step], {name})
    elif step == "sample_weight" and steps:
        last = list(steps)[-1]
        raise TypeError(
            f"{type(pipeline).__name__}.fit takes no sample_weight, as it does not say for which "
            f"step. {TREE_ALONE} {ROUTING}, and let each step that can take weights say whether "
            "it does, with set_fit_request(sample_weight=True); those weigh the tree and the step. "
            f"{last}__sample_weight weighs that step, if it can, but not the tree."
        )


def warn_of_unseen(estimator, y):
    """Warn of classes of y that a fitted classifier has never seen, so that it cannot be right."""
    classes = classes_of(estimator)
    if y is None or classes is None:
        return
    unseen = set(np.ravel(y).tolist()).difference(np.ravel(classes).tolist())
    if unseen:
        warn(
            f"The model was fitted without {'class' if len(unseen) == 1 else 'classes'} "
            f"{first_few(sorted(unseen, key=repr), 10)} of y, so none of these rows can be right. "
            "In a search or a cross-validation give cv=StratifiedKFold(): L2HClustering is no "
            "classifier, so an integer gives folds in the order of the rows.",
            UnseenClassWarning,
        )
