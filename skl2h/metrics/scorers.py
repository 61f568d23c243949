"""Scorers, by which searches of scikit-learn judge trees with the metrics."""

import inspect
from functools import partial

from sklearn.utils.validation import check_is_fitted

from ..exceptions.arguments import as_count, as_flag
from ..exceptions.texts import shown
from ..hierarchy.estimator import L2HClustering
from ..hierarchy.fitted import last_step
from ..hierarchy.profile_matrix import profile_matrix
from ..logits.inner_model import as_rows

__all__ = ["make_tree_scorer"]

# Names of the arguments of metrics, here and in scikit-learn, and how each is got from a fitted
# model, rows and classes.
ARGUMENTS = {
    "tree": lambda model, X, y, level: model.tree_,
    "leaf_labels": lambda model, X, y, level: model.predict(X, level=model.n_leaves_),
    "levels": lambda model, X, y, level: model.n_clusters_ if level is None else level,
    "labels": lambda model, X, y, level: model.predict(X, level=level),
    "labels_pred": lambda model, X, y, level: model.predict(X, level=level),
    "y": lambda model, X, y, level: y,
    "labels_true": lambda model, X, y, level: y,
    "X": lambda model, X, y, level: X,
    "profiles": lambda model, X, y, level: profile_matrix(model, X),
    "similarity": lambda model, X, y, level: profile_matrix(model, X),
}
CLASSES = ("y", "labels_true")


def make_tree_scorer(score_func, *, greater_is_better=True, level=None, **kwargs):
    """Make a scorer of fitted hierarchies, for the ``scoring`` of scikit-learn's searches.

    Like :func:`sklearn.metrics.make_scorer`, but for functions that need more than predictions. The
    function is given the arguments of these names that it has:

    ============================  =======================================================
    ``tree``                      the tree
    ``leaf_labels``               leaf of each row
    ``labels``, ``labels_pred``   group of each row, at `level`
    ``levels``                    `level`
    ``y``, ``labels_true``        classes of the rows, as given to the search
    ``X``                         rows, as the :class:`~skl2h.L2HClustering` gets them
    ``profiles``, ``similarity``  where the rows of each leaf would go without it, (K, K)
    ============================  =======================================================

    Parameters
    ----------
    score_func : callable
        A function that gives one number: of `skl2h.metrics`, of :mod:`sklearn.metrics` such as
        :func:`~sklearn.metrics.calinski_harabasz_score`, or your own.
    greater_is_better : bool, default=True
        Whether a larger number is better; if not, the score is minus the number.
    level : int, default=None
        Level of ``labels`` and ``levels``; None takes ``n_clusters_`` of the model.
    **kwargs : dict
        Other arguments of the function.

    Returns
    -------
    scorer : callable
        Takes a fitted L2HClustering, or a Pipeline that ends in one, X, and y. The classes y are
        needed only if the function takes them.

    Raises
    ------
    TypeError
        If `score_func` is not callable, needs an argument that is neither in the table nor in
        `kwargs`, takes one by position only, or does not have one of `kwargs`; if
        `greater_is_better` is not a bool, or `level` is not an integer. When the scorer is called,
        if the model is not a hierarchy.
    ValueError
        If `level` is below 1. When the scorer is called, if the function needs classes and y is
        None.

    Examples
    --------
    >>> from sklearn.cluster import KMeans
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.metrics import adjusted_rand_score
    >>> from sklearn.model_selection import cross_validate
    >>> from skl2h import L2HClustering
    >>> from skl2h.metrics import dendrogram_purity, make_tree_scorer
    >>> X, y = load_iris(return_X_y=True)
    >>> scores = cross_validate(
    ...     L2HClustering(KMeans(6, n_init=3, random_state=0)),
    ...     X,
    ...     y,
    ...     scoring={
    ...         "purity": make_tree_scorer(dendrogram_purity, adjusted=True),
    ...         "rand": make_tree_scorer(adjusted_rand_score, level=3),
    ...     },
    ... )
    >>> sorted(scores)
    ['fit_time', 'score_time', 'test_purity', 'test_rand']
    """
    if not callable(score_func):
        raise TypeError(f"score_func must be a function, got {shown(score_func)}.")
    greater_is_better = as_flag("greater_is_better", greater_is_better)
    level = as_count("level", level, None)
    wanted = {}  # names of the table, and whether the function has a default for them
    try:
        parameters = inspect.signature(score_func).parameters
    except ValueError:
        raise TypeError(
            f"{_name(score_func)} does not tell its arguments: wrap it in a function that does."
        ) from None
    for name, parameter in parameters.items():
        if name in kwargs or parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        if parameter.kind is parameter.POSITIONAL_ONLY:
            raise TypeError(
                f"{_name(score_func)} takes {shown(name)} by position only, but arguments are "
                "given by name: wrap it in a function."
            )
        if name in ARGUMENTS:
            wanted[name] = parameter.default is not parameter.empty
        elif parameter.default is parameter.empty:
            raise TypeError(
                f"{_name(score_func)} has an argument {shown(name)}, which a scorer does not know: "
                f"it knows {', '.join(ARGUMENTS)}. Give it to make_tree_scorer, or wrap the "
                "function."
            )
    takes_any = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values())
    for name in kwargs:
        if name not in parameters and not takes_any:
            raise TypeError(
                f"{_name(score_func)} has no argument {shown(name)}, but {', '.join(parameters)}."
            )
    return _TreeScorer(score_func, 1 if greater_is_better else -1, level, kwargs, wanted)


class _TreeScorer:
    """Scorer of `make_tree_scorer`: an object, so that it can be pickled and shown."""

    def __init__(self, score_func, sign, level, kwargs, wanted):
        self.score_func = score_func
        self.sign = sign
        self.level = level
        self.kwargs = kwargs
        self.wanted = wanted

    def __call__(self, estimator, X, y=None):
        check_is_fitted(estimator)
        model, X = last_step(estimator, X)
        X = as_rows(X)
        if not isinstance(model, L2HClustering):
            raise TypeError(
                "A fitted L2HClustering is needed, or a Pipeline that ends in one, got "
                f"{type(model).__name__}."
            )
        wanted = self.wanted
        if y is None:
            if any(name in CLASSES and not optional for name, optional in wanted.items()):
                raise ValueError(f"{_name(self.score_func)} needs the classes of the rows: give y.")
            wanted = [name for name in wanted if name not in CLASSES]
        arguments = {name: ARGUMENTS[name](model, X, y, self.level) for name in wanted}
        return self.sign * self.score_func(**arguments, **self.kwargs)

    def __repr__(self):
        given = [_name(self.score_func)]
        given += ["greater_is_better=False"] if self.sign < 0 else []
        given += [] if self.level is None else [f"level={self.level}"]
        given += [f"{name}={value!r}" for name, value in self.kwargs.items()]
        return f"make_tree_scorer({', '.join(given)})"


def _name(function):
    while isinstance(function, partial):
        function = function.func
    return getattr(function, "__name__", repr(function))
