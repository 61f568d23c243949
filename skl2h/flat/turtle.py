"""TURTLE: clusters that linear classifiers can learn, in one or several feature spaces."""

import math
from types import SimpleNamespace

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_consistent_length
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import check_is_fitted, validate_data

from ..exceptions.arguments import (
    as_count,
    as_flag,
    as_float_dtype,
    as_number,
    as_random_state,
    as_verbosity,
    check_n_jobs,
)
from ..exceptions.categories import warn
from .feature_spaces import are_several, blocks_of, check_matrix, columns_of_groups, spaces_of
from .soft_clusterer import SoftClusterer, refuse_overflow
from .turtle_search import run_search

__all__ = ["TURTLE"]


class TURTLE(SoftClusterer):
    """Clusters that linear classifiers can learn, in one or several feature spaces.

    Looks for soft labels that freshly trained linear classifiers predict well in every feature
    space, among labels that use all clusters [1]_. It finds what a linear model could be taught,
    rather than what is near, and is made for features of large pretrained models. Its
    `predict_log_proba` is what :class:`L2HClustering` reads:
    ``L2HClustering(TURTLE(n_clusters=100))``.

    Parameters
    ----------
    n_clusters : int
        Number of clusters K.
    gamma : float, default=10.0
        Weight of the entropy of the shares of the clusters: the larger, the more equal they are.
    max_iter : int, default=6000
        Most steps of the task encoder, each on a new batch.
    inner_steps : int, default=10
        Steps of the classifiers for each step of the encoder.
    batch_size : int, default=10000
        Rows of a batch; all rows, if there are fewer.
    outer_learning_rate : float, default=0.001
        Of the encoder, for Adam.
    inner_learning_rate : float, default=0.001
        Of the classifiers, for Adam; with less than 384 features, see `scale_features`.
    warm_start_inner : bool, default=False
        Whether classifiers go on where those of the last batch ended, rather than start afresh.
    n_init : int, default=1
        Number of runs; the one with the lowest loss is kept.
    tol : float, default=0.001
        The search ends when the normalised loss, in its mean over 500 steps, has fallen by no
        more than this from the 500 steps before; looked at every 500 steps, from 1,000 on. 0 makes
        all `max_iter` steps.
    feature_groups : list of slice or array-like of int, default=None
        The columns of each feature space, when X holds several side by side, as the output of a
        :class:`~sklearn.compose.ColumnTransformer` does. None: X is one space, or a list
        of them. Pipelines, searches and :class:`L2HClustering` cut X by rows, and take no list.
    scale_features : bool, default=True
        Whether each space is centred and divided by one number, and classifiers of d < 384
        features make steps 384 / d times as long; see the notes.
    dtype : dtype, default="float32"
        What the search computes in, float32 or float64. Predictions are made in float64.
    random_state : int, RandomState instance or None, default=None
        Pass an int for reproducible output.
    n_jobs : int, default=None
        Runs that are made at a time, in threads; see ``n_jobs`` in scikit-learn's glossary.
        Any number gives the same clusters.
    verbose : int, default=0
        1 prints a line at each tenth of the steps.

    Attributes
    ----------
    labels_ : ndarray of shape (n_samples,), dtype=intp
        Cluster of each fitted row.
    coef_ : ndarray of shape (K, n_features), or list of them, dtype=float64
        Weights of the task encoder for the features as they are; a list, one for each space, if
        X was a list or there are `feature_groups`.
    intercept_ : ndarray of shape (K,), or list of them, dtype=float64
        Biases of the task encoder, likewise.
    loss_ : float
        Loss of all fitted rows: the cross-entropy of the labels to what classifiers predict,
        less `gamma` times the entropy of the shares of the clusters, in nats; summed over the
        spaces. The classifiers are trained on one last batch, ten times from different starts,
        of which this is the mean; or once more, with `warm_start_inner`. ``loss_ / log(K)`` is
        comparable between numbers of clusters: the lowest tells K [1]_.
    loss_curve_ : ndarray of shape (n_iter,), dtype=float64
        Loss of each step, on its batch.
    n_iter_ : int
        Steps that were made.
    n_found_ : int
        Clusters that have rows.
    n_features_in_ : int
        Features seen by `fit`, of all spaces.
    feature_names_in_ : ndarray of shape (n_features,), dtype=object
        Names of the features, if X is one DataFrame with names that are all str; those of a list
        are not looked at.

    See Also
    --------
    L2HClustering : The hierarchy of the clusters.
    sklearn.cluster.KMeans : Clusters around centres.

    Notes
    -----
    A linear map with weight normalisation gives each row, in each space, the softmax s of its
    clusters; the labels are the mean of s over the spaces. Each step draws a batch, trains linear
    classifiers on the labels for `inner_steps` steps of Adam, and then takes one step of Adam
    on the encoder, with the classifiers as they are.

    Classifiers make few steps of a given size, so the method depends on the scale and on the
    number of the features: small features, such as those of embeddings of unit length, and few of
    them leave classifiers ignorant, and the clusters worse. With `scale_features`, each space is
    centred and divided by one number, the root mean square of the deviations of those of its
    features that vary. This leaves the ratios of distances as they were, changes nothing for
    features that have been standardised one by one, and is folded back into `coef_` and
    `intercept_`. Where some features are of another unit than others, standardise them one by one
    before. And with d < 384 features, `inner_learning_rate` is multiplied by 384 / d, so that
    classifiers can learn as much. False takes features and rate as they are.

    The features are read in batches and blocks of rows, and never copied as a whole: a memory map
    may be larger than the memory. A fitted model keeps the ten classifiers of each space for
    `score`, ten times the size of `coef_`.

    References
    ----------
    .. [1] A. Gadetsky, Y. Jiang, M. Brbic, "Let Go of Your Labels with Unsupervised Transfer",
       ICML 2024, arXiv:2406.07236.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skl2h import TURTLE
    >>> X, y = load_iris(return_X_y=True)
    >>> model = TURTLE(n_clusters=3, max_iter=300, random_state=0).fit(X)
    >>> model.predict_proba(X).shape
    (150, 3)
    >>> model.n_found_
    3
    """

    def __init__(
        self,
        n_clusters,
        *,
        gamma=10.0,
        max_iter=6000,
        inner_steps=10,
        batch_size=10000,
        outer_learning_rate=1e-3,
        inner_learning_rate=1e-3,
        warm_start_inner=False,
        n_init=1,
        tol=1e-3,
        feature_groups=None,
        scale_features=True,
        dtype="float32",
        random_state=None,
        n_jobs=None,
        verbose=0,
    ):
        self.n_clusters = n_clusters
        self.gamma = gamma
        self.max_iter = max_iter
        self.inner_steps = inner_steps
        self.batch_size = batch_size
        self.outer_learning_rate = outer_learning_rate
        self.inner_learning_rate = inner_learning_rate
        self.warm_start_inner = warm_start_inner
        self.n_init = n_init
        self.tol = tol
        self.feature_groups = feature_groups
        self.scale_features = scale_features
        self.dtype = dtype
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose

    def fit(self, X, y=None):
        """Search for the clusters.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), or list of 2-dimensional arrays
            The features, or a list with those of each space, of the same rows: arrays, data frames
            or both.
        y : Ignored, default=None
            There for scikit-learn's conventions.

        Returns
        -------
        self : TURTLE
            The fitted estimator.

        Raises
        ------
        ValueError
            If a parameter is out of range, or X has fewer rows than clusters, NaN, inf, or numbers
            that are too large to compute with.
        TypeError
            If a parameter is of the wrong type, or X is sparse.

        Warns
        -----
        ConvergenceWarning
            If there are clusters without rows.
        """
        parameters = _checked_parameters(self)
        matrices = _check_features(self, X)
        n_rows, groups = len(matrices[0]), None
        if n_rows < parameters.n_clusters:
            raise ValueError(f"n_samples={n_rows} should be >= n_clusters={parameters.n_clusters}.")
        if self.feature_groups is not None:
            groups = columns_of_groups(self.feature_groups, matrices[0].shape[1])
        spaces = spaces_of(matrices, groups)
        if self.scale_features:
            for space in spaces:
                space.centre_and_scale()
        entropy = as_random_state(self.random_state).randint(2**31 - 1, size=4).tolist()
        seeds = np.random.SeedSequence(entropy).spawn(parameters.n_init)
        # Threads share the features. Each run is one worker's.
        runs = Parallel(n_jobs=self.n_jobs, prefer="threads")(
            delayed(run_search)(parameters, spaces, np.random.default_rng(seed), parameters.dtype)
            for seed in seeds
        )
        if not np.isfinite([run.loss for run in runs]).all():
            raise ValueError(
                f"The loss is no number of {parameters.dtype}: features or parameters are too "
                "large for it, or too small."
            )
        best = min(runs, key=lambda run: run.loss)

        # All that can fail has been done: a refit that fails leaves the last fit whole.
        if are_several(X):
            self.n_features_in_ = sum(matrix.shape[1] for matrix in matrices)
            if hasattr(self, "feature_names_in_"):
                del self.feature_names_in_
        else:
            validate_data(self, X, skip_check_array=True)
        self._task, self._groups, self._is_list = best.task, groups, are_several(X)
        self.labels_ = best.labels
        self.loss_, self.loss_curve_ = best.loss, best.curve
        self.n_iter_ = len(best.curve)
        self.n_found_ = len(np.unique(best.labels))
        self.coef_ = [coef for coef, _ in best.task.encoder]
        self.intercept_ = [intercept for _, intercept in best.task.encoder]
        if groups is None and not self._is_list:
            self.coef_, self.intercept_ = self.coef_[0], self.intercept_[0]
        if self.n_found_ < parameters.n_clusters:
            warn(
                f"Only {self.n_found_} of {parameters.n_clusters} clusters have rows: fewer "
                "n_clusters, a larger gamma or batch_size, or several n_init may help.",
                ConvergenceWarning,
            )
        return self

    def predict_log_proba(self, X):
        """Logarithm of the probability of each cluster.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), or list of 2-dimensional arrays
            As for `fit`.

        Returns
        -------
        logarithms : ndarray of shape (n_samples, K), dtype=float64
            Exact where the probability underflows; this is what :class:`L2HClustering` reads.

        Raises
        ------
        NotFittedError
            If `fit` has not been called.
        ValueError
            If the features are not those of `fit`, hold NaN or inf, or are too large.
        """
        check_is_fitted(self)
        spaces = self._fitted_spaces(X)
        logarithms = np.empty((spaces[0].n_rows, self._task.n_clusters))
        with np.errstate(over="ignore", invalid="ignore"):
            for rows, blocks in blocks_of(spaces):
                logarithms[rows] = self._task.log_labels(blocks)
                refuse_overflow(logarithms[rows])
        return logarithms

    def score(self, X, y=None):
        """Minus the normalised loss: the higher, the better, for any number of clusters.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), or list of 2-dimensional arrays
            As for `fit`.
        y : Ignored, default=None
            There for scikit-learn's conventions.

        Returns
        -------
        score : float
            ``-loss / log(K)``, of the loss of these rows with the classifiers of `loss_`; 0 if K
            is 1. On the fitted rows it is ``-loss_ / log(K)``.

        Raises
        ------
        NotFittedError
            If `fit` has not been called.
        ValueError
            If the features are not those of `fit`, hold NaN or inf, or are too large.
        """
        check_is_fitted(self)
        with np.errstate(over="ignore", invalid="ignore"):
            _, loss = self._task.evaluate(self._fitted_spaces(X))
        refuse_overflow(loss)
        return -loss / math.log(self._task.n_clusters) if self._task.n_clusters > 1 else 0.0

    def _fitted_spaces(self, X):
        if are_several(X) != self._is_list:
            raise ValueError(
                f"X is {_form(are_several(X))}, but TURTLE was fitted on {_form(self._is_list)}."
            )
        matrices = _check_features(self, X)
        if not self._is_list:
            validate_data(self, X, skip_check_array=True, reset=False)
        spaces = spaces_of(matrices, self._groups)
        widths, fitted = [space.width for space in spaces], self._task.widths
        if widths != fitted:
            raise ValueError(
                f"The matrices of X have {widths} features, but TURTLE was fitted on {fitted}."
            )
        return spaces


def _check_features(model, X):
    """One matrix for each space, or the one that holds all groups."""
    if not are_several(X):
        return [check_matrix(X, "TURTLE", "X")]
    if model.feature_groups is not None:
        raise ValueError("feature_groups are columns of one matrix, but X is a list of them.")
    matrices = [check_matrix(matrix, "TURTLE", f"X[{number}]") for number, matrix in enumerate(X)]
    check_consistent_length(*matrices)
    return matrices


def _form(is_list):
    return "a list of matrices" if is_list else "one matrix"


def _checked_parameters(model):
    """Parameters as Python's numbers, of which NumPy's would change dtypes; an error if bad."""
    checked = SimpleNamespace()
    for name in ("n_clusters", "max_iter", "inner_steps", "batch_size", "n_init"):
        setattr(checked, name, as_count(name, getattr(model, name)))
    for name in ("gamma", "tol"):
        setattr(checked, name, as_number(name, getattr(model, name), may_be_zero=True))
    for name in ("outer_learning_rate", "inner_learning_rate"):
        setattr(checked, name, as_number(name, getattr(model, name)))
    for name in ("warm_start_inner", "scale_features"):
        setattr(checked, name, as_flag(name, getattr(model, name)))
    as_random_state(model.random_state)
    check_n_jobs(model.n_jobs)
    checked.dtype = as_float_dtype("dtype", model.dtype)
    checked.verbose = as_verbosity("verbose", model.verbose)
    return checked
