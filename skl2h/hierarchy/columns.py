"""The columns of X: what an `L2HClustering` knows of them, and whether rows have the same ones."""

import numpy as np
from sklearn.utils.validation import validate_data

from ..exceptions.arrays import column_names, has_dimensions
from ..exceptions.texts import shown_text
from ..logits.kinds import sample_of
from ..tree.names import check_order

__all__ = ["check_columns", "keep_columns"]


def keep_columns(model, estimator, X, n_leaves):
    """Set what a model knows of the columns of X: as its inner model has it, or from X itself."""
    if not isinstance(estimator, str):
        for attribute in ("n_features_in_", "feature_names_in_"):
            if hasattr(estimator, attribute):
                setattr(model, attribute, getattr(estimator, attribute))
            elif hasattr(model, attribute):
                delattr(model, attribute)
        return
    X = sample_of(X)
    names, is_for_sklearn = _names_of(X)
    if is_for_sklearn:
        validate_data(model, X, skip_check_array=True)
    else:
        validate_data(model, np.empty((1, n_leaves)), skip_check_array=True)
        model.feature_names_in_ = np.array(names, dtype=object)


def check_columns(model, X, n_columns):
    """Refuse logits whose columns are not those that a model was fitted on.

    Labels that are not texts are unknown to scikit-learn: those of the leaves tell.
    """
    names, is_for_sklearn = _names_of(X)
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


def _names_of(X):
    """Labels of the columns of X, or None, and whether scikit-learn can tell them.

    It cannot tell those of xarray, and some of its versions refuse several of one name.
    """
    names = column_names(X)
    return names, names is None or not (has_dimensions(X) or len(set(names)) < len(names))


def _refuse_columns(names, fitted):
    wanted, given = (
        ", ".join(shown_text(name) for name in labels[:10]) + ", ..." * (len(labels) > 10)
        for labels in (fitted, names)
    )
    raise ValueError(
        f"The columns of X should be those of fit, in their order: {wanted}, got {given}."
    )
