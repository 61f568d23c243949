"""The columns of X: what an `L2HClustering` knows of them, and whether rows have the same ones."""

import numpy as np
from sklearn.utils.validation import validate_data

from ..exceptions.arrays import column_names, has_dimensions
from ..exceptions.texts import first_few, shown_text
from ..logits.inner_model import is_precomputed
from ..tree.checks import check_order

__all__ = ["check_columns", "features_of", "keep_features"]


# What scikit-learn's estimators know of the columns of X.
ATTRIBUTES = ("n_features_in_", "feature_names_in_")


def features_of(estimator, source):
    """Attributes of a model that tell the columns of X: its inner model's, or those of logits."""
    if not is_precomputed(estimator):
        return {name: getattr(estimator, name) for name in ATTRIBUTES if hasattr(estimator, name)}
    known = {"n_features_in_": source.shape[1]}
    are_texts = {isinstance(label, str) for label in source.labels or ()}
    if len(are_texts) > 1:
        kinds = sorted({type(label).__name__ for label in source.labels})
        raise TypeError(
            f"The labels of the columns of X are of several types, {', '.join(kinds)}: make texts "
            "of all of them, as X.columns.astype(str) does."
        )
    if are_texts == {True}:
        known["feature_names_in_"] = np.array(source.labels, dtype=object)
    return known


def keep_features(model, known):
    """Set these attributes of a model, and forget what it knew of other columns."""
    for name in ATTRIBUTES:
        if name in known:
            setattr(model, name, known[name])
        elif hasattr(model, name):
            delattr(model, name)


def check_columns(model, X, n_columns):
    """Refuse logits whose columns are not those that a model was fitted on.

    An inner model looks at its columns itself. Labels that are not texts are unknown to
    scikit-learn: those of the leaves tell.
    """
    if not is_precomputed(model.estimator_):
        return
    names = column_names(X)
    # scikit-learn does not know labels of xarray, and some of its versions refuse several of one
    # name.
    is_for_sklearn = names is None or not (has_dimensions(X) or len(set(names)) < len(names))
    known = getattr(model, "feature_names_in_", None)
    if is_for_sklearn:
        validate_data(model, X, skip_check_array=True, reset=False)
    elif known is None:
        validate_data(model, np.empty((1, n_columns)), skip_check_array=True, reset=False)
    elif names != known.tolist():
        _refuse_columns(names, known.tolist())
    if names is None:
        return
    check_order(model.tree_, names)
    # Labels that count the columns say nothing of them.
    fitted, counted = list(model.tree_.names), list(map(str, range(n_columns)))
    if known is None and names != fitted and counted not in (names, fitted):
        _refuse_columns(names, fitted)


def _refuse_columns(names, fitted):
    wanted, given = (first_few(labels, 10, shown_text) for labels in (fitted, names))
    raise ValueError(
        f"The columns of X should be those of fit, in their order: {wanted}, got {given}."
    )
