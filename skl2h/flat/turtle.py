"""TURTLE: clusters that linear classifiers can learn, in one or several feature spaces."""

import math
from functools import partial

import numpy as np
from sklearn.utils.parallel import Parallel, delayed

from ..exceptions.arguments import as_count, as_flag, as_number, check_n_jobs
from .feature_spaces import columns_of_groups, spaces_of
from .soft_clusterer import CHECKS, SoftClusterer, refuse_overflow
from .turtle_search import run_search

__all__ = ["TURTLE"]

TURTLE_CHECKS = CHECKS | {
    "gamma": partial(as_number, may_be_zero=True),
    "inner_steps": as_count,
    "outer_learning_rate": as_number,
    "inner_learning_rate": as_number,
    "warm_start_inner": as_flag,
    "n_init": as_count,
    "tol": partial(as_number, may_be_zero=True),
    "n_jobs": lambda _, value: check_n_jobs(value),
}


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
        Weight of the entropy of the shares of the clusters: the larger it is, the more equal are
        the sizes of the clusters.
    max_iter : int, default=6000
        Largest number of steps of the task encoder, each on a new batch.
    inner_steps : int, default=10
        Number of steps of the classifiers for each step of the encoder.
    batch_size : int, default=10000
        Number of rows in a batch; all rows, if there are fewer.
    outer_learning_rate : float, default=0.001
        Learning rate of the encoder, for Adam.
    inner_learning_rate : float, default=0.001
        Learning rate of the classifiers, for Adam; `scale_features` says what it is for less than
        384 features.
    warm_start_inner : bool, default=False
        Whether classifiers continue where those of the last batch ended, rather than start afresh.
    n_init : int, default=1
        Number of runs. The run with the lowest loss is kept.
    tol : float, default=0.001
        Every 500 steps, from 1,000 on, the mean over these of the loss over log(K) is compared with
        that of the 500 steps before: if it has fallen by no more than this, the search ends. 0
        makes all `max_iter` steps.
    feature_groups : list of slice or array-like of int, default=None
        The columns of each feature space, when X holds several side by side, as the output of a
        :class:`~sklearn.compose.ColumnTransformer` does. None: X is one space.
    scale_features : bool, default=True
        Whether each space is centred and divided by one number, and classifiers of d < 384
        features take steps 384 / d times as long; see the notes.
    dtype : dtype, default="float32"
        Dtype of the search, float32 or float64. Predictions are made in float64.
    random_state : int, RandomState instance or None, default=None
        Pass an int for reproducible output.
    n_jobs : int, default=None
        Number of runs that are made at the same time, in threads; see ``n_jobs`` in scikit-learn's
        glossary. Any number gives the same clusters.
    verbose : int, default=0
        1 prints a line at each tenth of the steps.

    Attributes
    ----------
    labels_ : ndarray of shape (n_samples,), dtype=intp
        Cluster of each fitted row.
    coef_ : ndarray of shape (K, n_features), or list of them, dtype=float64
        Weights of the task encoder for the features as they are; a list, one for each space, if
        there are `feature_groups`.
    intercept_ : ndarray of shape (K,), or list of them, dtype=float64
        Biases of the task encoder; a list, one for each space, if there are `feature_groups`.
    loss_ : float
        Loss of all fitted rows, in nats: the cross-entropy of the labels to the predictions of
        classifiers, less `gamma` times the entropy of the shares of the clusters, summed over the
        spaces. It is the mean over ten classifiers, trained on one last batch from different
        starts; with `warm_start_inner` there is one, which is trained further. ``loss_ / log(K)``
        can be compared between numbers of clusters: choose the K where it is lowest [1]_.
    loss_curve_ : ndarray of shape (n_iter,), dtype=float64
        Loss of each step, on its batch.
    n_iter_ : int
        Number of steps that were made.
    n_found_ : int
        Number of clusters that have rows.
    n_features_in_ : int
        Number of features seen by `fit`.
    feature_names_in_ : ndarray of shape (n_features,), dtype=object
        Names of the features, if X is a DataFrame with names that are all str.

    See Also
    --------
    L2HClustering : The hierarchy of the clusters.
    sklearn.cluster.KMeans : Clusters around centres.

    Notes
    -----
    In each space, the task encoder is a linear map with weight normalisation, which gives each row
    the softmax s over the clusters. The labels are the mean of s over the spaces. Each step draws a
    batch, trains linear classifiers on its labels for `inner_steps` steps of Adam, and then takes
    one step of Adam on the encoder, with the classifiers as they are.

    Classifiers take few steps of a given size, so the method depends on the scale and on the number
    of the features. If features are small, such as those of embeddings of unit length, or few,
    classifiers learn little, and the clusters become worse. With `scale_features`, each space is
    centred and divided by one number: the root mean square of the deviations of those of its
    features that vary. This keeps the ratios of distances, and changes nothing for features that
    have been standardised one by one; `coef_` and `intercept_` include it. Where some features are
    of another unit than others, standardise them one by one before. With d < 384 features,
    `inner_learning_rate` is also multiplied by 384 / d, so that classifiers learn as much. False
    takes features and learning rate as they are.

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
        X : array-like of shape (n_samples, n_features)
            The features; those of several spaces stand side by side, see `feature_groups`.
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
        parameters, matrix = self._begin(X, TURTLE_CHECKS)
        groups = None
        if self.feature_groups is not None:
            groups = columns_of_groups(self.feature_groups, matrix.shape[1])
        spaces = spaces_of(matrix, groups, scaled=parameters.scale_features)
        # In threads, which share the features.
        runs = Parallel(n_jobs=parameters.n_jobs, prefer="threads")(
            delayed(run_search)(parameters, spaces, seed)
            for seed in parameters.seeds.spawn(parameters.n_init)
        )
        best = min(runs, key=lambda run: run.loss)
        self._keep(X, best, groups)
        self.coef_ = [coef for coef, _ in best.fitted.encoder]
        self.intercept_ = [intercept for _, intercept in best.fitted.encoder]
        if groups is None:
            [self.coef_], [self.intercept_] = self.coef_, self.intercept_
        self._warn_of_empty("a larger gamma or batch_size, or several n_init")
        return self

    def score(self, X, y=None):
        """Minus the loss over log(K): the higher, the better, for any number of clusters.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The features.
        y : Ignored, default=None
            There for scikit-learn's conventions.

        Returns
        -------
        score : float
            ``-loss / log(K)``, where the loss is that of these rows with the classifiers of
            `loss_`; 0 if K is 1. On the fitted rows it is ``-loss_ / log(K)``.

        Raises
        ------
        NotFittedError
            If `fit` has not been called.
        ValueError
            If the features are not those of `fit`, hold NaN or inf, or are too large.
        """
        spaces = self._spaces(X)
        with np.errstate(over="ignore", invalid="ignore"):
            _, loss = self._fitted.evaluate(spaces)
        refuse_overflow(loss)
        return -loss / math.log(self._fitted.n_clusters) if self._fitted.n_clusters > 1 else 0.0

    def _matrix(self, X, least_rows=1):
        # By shapes, since polars' data frames have no ndim. A list of rows is one matrix.
        if isinstance(X, (list, tuple)) and any(len(getattr(part, "shape", ())) == 2 for part in X):
            raise ValueError(
                f"X is a {type(X).__name__} of matrices, but TURTLE takes one: put their columns "
                "side by side, with numpy.hstack, and let feature_groups say which columns each "
                "space has."
            )
        return super()._matrix(X, least_rows)
