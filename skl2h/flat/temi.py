"""TEMI: clusters that rows share with their neighbours, found by small networks."""

from functools import partial

import numpy as np

from ..exceptions.arguments import as_count, as_number
from ..exceptions.texts import shown
from .feature_spaces import spaces_of
from .soft_clusterer import CHECKS, SoftClusterer
from .temi_heads import train_heads

__all__ = ["TEMI"]


def _as_sizes(name, sizes):
    """Sizes of layers as a list of int."""
    if not isinstance(sizes, (list, tuple, np.ndarray)):
        raise TypeError(f"{name} must be a list of integers, got {shown(sizes)}.")
    if len(sizes) == 0:
        raise ValueError(f"{name} must have at least one size.")
    return [as_count(f"{name}[{number}]", size) for number, size in enumerate(sizes)]


_as_share = partial(as_number, may_be_zero=True, most=1)

TEMI_CHECKS = CHECKS | {
    "n_neighbors": as_count,
    "n_heads": as_count,
    "beta": partial(as_number, most=1),
    "hidden_layer_sizes": _as_sizes,
    "temperature": as_number,
    "learning_rate": as_number,
    "warmup": _as_share,
    "weight_decay": partial(as_number, may_be_zero=True),
    "teacher_momentum": _as_share,
    "prior_momentum": _as_share,
}


class TEMI(SoftClusterer):
    """Clusters that rows share with their neighbours, found by small networks.

    Trains networks that give the same cluster to a row and to its neighbours by cosine, among
    labels that use all clusters [1]_. It can follow clusters of any form, and is made for features
    of large pretrained models. Its `predict_log_proba` is what :class:`L2HClustering` reads:
    ``L2HClustering(TEMI(n_clusters=100))``.

    Parameters
    ----------
    n_clusters : int
        Number of clusters K.
    n_neighbors : int, default=50
        Nearest neighbours of each row, one of which is drawn whenever the row is. Never more than
        half the mean number of rows in a cluster: if the number is larger, that half is taken.
    n_heads : int, default=4
        Number of networks that are trained together. The network whose teacher has the lowest
        loss is kept.
    beta : float, default=0.6
        Exponent in the loss, above 0 and at most 1. The nearer it is to 1, the fewer clusters take
        all rows. The authors take 0.6 for clusters of about one size, and never less than 0.5.
    hidden_layer_sizes : list or tuple of int, default=(512, 256)
        Number of outputs of each layer.
    temperature : float, default=0.1
        Number that the logits, the cosines of a row to each cluster, are divided by.
    max_iter : int, default=2000
        Number of steps, each on a new batch.
    batch_size : int, default=256
        Number of pairs of a row and a neighbour in a batch; one pair for each row, if there are
        fewer rows.
    learning_rate : float, default=0.002
        Learning rate of AdamW for batches of 256 pairs; for other batches it is multiplied by their
        pairs over 256. It rises over the first steps, see `warmup`, and then falls to 0 along half
        a cosine.
    warmup : float, default=0.1
        Share of the steps, from 0 to 1, in which the learning rate rises.
    weight_decay : float, default=0.0001
        Weight decay of AdamW.
    teacher_momentum : float, default=0.996
        Momentum of the moving average by which teachers follow students, at the first step. From
        there it rises to 1. It starts at ``1 - 50 / max_iter`` at most, so that teachers follow in
        short searches as well.
    prior_momentum : float, default=0.9
        Momentum of the moving average of the shares of the clusters.
    scale_features : bool, default=True
        Whether the features are centred and divided by one number; see the notes.
    dtype : dtype, default="float32"
        Dtype of the search, float32 or float64. Predictions are made in float64.
    random_state : int, RandomState instance or None, default=None
        Pass an int for reproducible output.
    verbose : int, default=0
        1 prints a line at each tenth of the steps.

    Attributes
    ----------
    labels_ : ndarray of shape (n_samples,), dtype=intp
        Cluster of each fitted row.
    coefs_ : list of ndarray of shape (n_outputs, n_inputs), dtype=float64
        Weights of each layer. Those of the first are for the features as they are.
    intercepts_ : list of ndarray of shape (n_outputs,), dtype=float64
        Biases of each layer.
    cluster_centers_ : ndarray of shape (K, n_outputs), dtype=float64
        A vector for each cluster. Its products with the outputs of the last layer, at unit length,
        are the logits over `temperature`.
    loss_ : float
        Loss of the teacher that was kept, with its labels for both rows of a pair. It is the mean
        over all rows that were ever drawn, each with one neighbour: about -log(K) if the two are
        always in one cluster and all clusters are of one size.
    loss_curve_ : ndarray of shape (max_iter,), dtype=float64
        Loss of its student at each step, on the batch of the step.
    n_iter_ : int
        Number of steps that were made.
    n_neighbors_ : int
        Number of neighbours of each row that were drawn from.
    n_found_ : int
        Number of clusters that have rows.
    n_features_in_ : int
        Number of features seen by `fit`.
    feature_names_in_ : ndarray of shape (n_features,), dtype=object
        Names of the features, if X is a DataFrame with names that are all str.

    See Also
    --------
    TURTLE : Clusters that linear classifiers can learn.
    L2HClustering : The hierarchy of the clusters.

    Notes
    -----
    A network has layers with a GELU between two of them. The output of the last layer is made unit
    length, and its products with a vector for each cluster are the logits. Each network is there
    twice: as a student, which learns, and as a teacher, the moving average of the student. Let s
    and t be the softmax of their logits over the temperature, and p the shares of the clusters. The
    loss of a row x and its neighbour x' is ``-w * log(sum_k (s_k(x) * t_k(x')) ** beta / p_k)``,
    and the same with x and x' exchanged. The weight w of a pair is the mean over the networks of
    ``sum_k t_k(x) * t_k(x')``: it is large where the teachers say that the two are in one cluster.
    Predictions are those of the teacher.

    Networks learn from small numbers around 0. With `scale_features`, the features are centred and
    divided by one number: the root mean square of the deviations of those features that vary.
    `coefs_` and `intercepts_` include this, and neighbours are found after it. Where some features
    are of another unit than others, standardise them one by one before. False takes the features as
    they are.

    The defaults are for searches of minutes on a processor. The authors' example [2]_ makes 4,900
    steps of 1,024 pairs with 16 heads, and its learning rate is a twentieth of ours and does not
    fall. Here the GELU has the form with tanh, and the more inputs a layer has, the smaller its
    first weights are.

    The features are read in batches and blocks of rows, and never copied as a whole: a memory map
    may be larger than the memory. Besides, the memory holds batches, blocks of some ten thousand
    rows, and `n_neighbors` numbers for each row that is ever drawn. Neighbours are found by
    comparing each drawn row with all rows. This is quick for ten thousand rows, takes minutes for
    a hundred thousand, and hours for a million, unless few are drawn: they are at most `max_iter`
    times `batch_size`.

    A single feature has only two directions from its mean, so that cosines can tell no more than
    two clusters apart.

    References
    ----------
    .. [1] N. Adaloglou, F. Michels, H. Kalisch, M. Kollmann, "Exploring the Limits of Deep Image
       Clustering using Pretrained Models", BMVC 2023, arXiv:2303.17896.
    .. [2] https://github.com/HHU-MMBS/TEMI-official-BMVC2023, README and ``main_args.py``.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skl2h import TEMI
    >>> X, y = load_iris(return_X_y=True)
    >>> model = TEMI(n_clusters=3, max_iter=100, random_state=0).fit(X)
    >>> model.predict_proba(X).shape
    (150, 3)
    >>> model.n_found_
    3
    """

    def __init__(
        self,
        n_clusters,
        *,
        n_neighbors=50,
        n_heads=4,
        beta=0.6,
        hidden_layer_sizes=(512, 256),
        temperature=0.1,
        max_iter=2000,
        batch_size=256,
        learning_rate=2e-3,
        warmup=0.1,
        weight_decay=1e-4,
        teacher_momentum=0.996,
        prior_momentum=0.9,
        scale_features=True,
        dtype="float32",
        random_state=None,
        verbose=0,
    ):
        self.n_clusters = n_clusters
        self.n_neighbors = n_neighbors
        self.n_heads = n_heads
        self.beta = beta
        self.hidden_layer_sizes = hidden_layer_sizes
        self.temperature = temperature
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.warmup = warmup
        self.weight_decay = weight_decay
        self.teacher_momentum = teacher_momentum
        self.prior_momentum = prior_momentum
        self.scale_features = scale_features
        self.dtype = dtype
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X, y=None):
        """Search for the clusters.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The features.
        y : Ignored, default=None
            There for scikit-learn's conventions.

        Returns
        -------
        self : TEMI
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
        parameters, matrix = self._begin(X, TEMI_CHECKS, least_rows=2)
        # DEPARTURE: most of as many neighbours as a cluster has rows, or more, are of others.
        most = max(1, len(matrix) // (2 * parameters.n_clusters))
        parameters.n_neighbors = min(parameters.n_neighbors, most)
        [space] = spaces_of(matrix, scaled=parameters.scale_features)
        run = train_heads(parameters, space)
        self._keep(X, run)
        self.n_neighbors_ = parameters.n_neighbors
        self.coefs_ = [coef for coef, _ in run.fitted.maps]
        self.intercepts_ = [intercept for _, intercept in run.fitted.maps]
        self.cluster_centers_ = run.fitted.prototypes
        self._warn_of_empty("a smaller beta, or a larger batch_size or max_iter")
        return self
