"""L2H behind scikit-learn's API: logits, merges and tree, put together."""

import operator
from functools import partial

from sklearn import get_config
from sklearn.base import BaseEstimator, ClusterMixin, MetaEstimatorMixin
from sklearn.frozen import FrozenEstimator
from sklearn.utils import ClassifierTags
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import _estimator_has, check_is_fitted

from ..exceptions.texts import shown
from ..logits.inner_model import is_precomputed, rows_of, tags_of, warn_of_unseen
from ..logits.kinds import refuse_dask
from ..logits.of_models import leaf_names
from ..merge.distributed.dask_arrays import take
from ..merge.loop import N_REPORTS
from ..merge.progress import CallbackSupportMixin, with_callbacks
from ..merge.source import source_of
from ..tree.notebook import as_text, picture_of
from .build import build_tree
from .columns import features_of, keep_features
from .inner_fit import check_parameters, fit_inner
from .level_gains import best_levels, mass_of_merges
from .predictions import PredictionsMixin

__all__ = ["L2HClustering"]


class L2HClustering(
    PredictionsMixin, CallbackSupportMixin, MetaEstimatorMixin, ClusterMixin, BaseEstimator
):
    """Hierarchy of the clusters of any clusterer or classifier, from its logits.

    The leaves of the tree are the K clusters of the inner model, not the rows:
    ``n_leaves_ == K`` and ``children_`` has K - 1 lines. The group of clusters the model is
    least sure of is merged with the group its rows would go to if it did not exist,
    K - 1 times [1]_.

    Parameters
    ----------
    estimator : estimator or "precomputed"
        Clusterer or classifier, cloned and fitted by `fit`; a
        :class:`~sklearn.frozen.FrozenEstimator` is used as it is. With ``"precomputed"``, X is
        the (n_samples, K) matrix of logits, or of probabilities if `input` says so.
    n_clusters : int or "auto", default=None
        Number of groups in `labels_` and `predict`, from 1 to K; None keeps all K leaves. "auto"
        takes the first of :func:`suggest_levels`.
    method : {"l2h", "affinity"}, default="l2h"
        How the tree is made: the group that the model is least sure of first, as
        :func:`l2h_tree` does, or the groups that are most alike, as :func:`affinity_tree`
        does. Superclasses are found much better by "affinity", which needs a few arrays of shape
        (K, K).
    response_method : str or callable, default="auto"
        What to ask of the fitted inner model. "auto" takes the first it has of
        ``decision_function``, ``predict_log_proba``, ``predict_proba`` (its logarithm) and, for
        models with cluster centres, ``transform`` (minus the squared distance, over twice the
        mean squared distance of the fitted rows to their own centre). Or the name of a method,
        or ``f(estimator, X)`` that returns (n_samples, K) logits.
    temperature : float, default=1.0
        Divides the logits. Above 1 for a model that is too sure of itself. With "affinity", which
        finds a temperature of its own, probabilities of groups change and the tree does not,
        except where none is found (see :func:`affinity_tree`).
    aggregation : {"sum_of_means", "sum", "mean"}, default="sum_of_means"
        Score of a group; see :func:`l2h_tree`. It does not apply to "affinity".
    input : {"logits", "probabilities"}, default="logits"
        What X is, with ``"precomputed"``. Of probabilities, the logarithms are the logits. An inner
        model is asked by `response_method`, which tells what its scores are.
    n_jobs : int, default=None
        Threads that read the rows. Any number gives the same tree.
    verbose : int, default=0
        1 prints a line at each tenth of the merges, or at each step of "affinity".
    persist : bool, default=True
        Whether the workers keep the logits of a Dask array in memory during `fit`. With "l2h" they
        also keep 56 bytes for each row, 64 with weights, and with "affinity" the leaf of each row,
        8 bytes. With False each pass of "l2h" computes the logits again, and "affinity" computes
        them twice.

    Attributes
    ----------
    estimator_ : estimator or "precomputed"
        The fitted inner model.
    response_ : object
        How `estimator_` is asked for the logits of rows.
    mass_of_merges_ : ndarray of shape (2, K - 1), dtype=float64, or None
        With ``n_clusters="auto"``, what :func:`suggest_levels` compares levels by. Its unit
        depends on the weights, so only ratios within it have a meaning.
    tree_ : MergeTree
        The hierarchy: names, counts, cuts, members, paths.
    children_ : ndarray of shape (K - 1, 2), dtype=intp
        The two nodes of each merge, selected group first; merge t makes node K + t. With
        "affinity", in the order of SciPy's linkage.
    distances_ : ndarray of shape (K - 1,), dtype=float64
        Score of the selected group at each merge. With "affinity", its height in the linkage.
    labels_ : ndarray of shape (n_samples,), dtype=intp
        Group of each fitted row, at the level `n_clusters_`.
    leaf_labels_ : ndarray of shape (n_samples,), dtype=intp
        Leaf of each fitted row: its largest logit.
    leaf_counts_ : ndarray of shape (K,)
        Rows of each leaf, or their weight.
    n_leaves_ : int
        K.
    n_clusters_ : int
        Number of groups in `labels_`.
    linkage_matrix_ : ndarray of shape (K - 1, 4), dtype=float64
        For SciPy. Its heights are the ranks 1..K-1 with either method;
        ``tree_.to_linkage("score")`` has the scores, which for "affinity" are real heights.
    n_features_in_ : int
        Features seen by the inner model, if it tells.
    feature_names_in_ : ndarray of shape (n_features,), dtype=object
        Names of the features, if the inner model has them.

    See Also
    --------
    l2h_tree, affinity_tree : The tree alone, from a matrix of logits.
    suggest_levels : Good levels of a tree, best first.
    sklearn.cluster.AgglomerativeClustering : A hierarchy of the rows.

    Notes
    -----
    The inner model is asked for the scores of 16,384 rows at a time, so that it takes little memory
    to predict many rows; a callable `response_method` gets all rows at once.

    X may be a Dask array or data frame, if the inner model is a `FrozenEstimator` or
    ``"precomputed"``: the model is asked on the workers, chunk by chunk, and no rows come here.
    `labels_`, `leaf_labels_` and whatever has an entry for each row are Dask arrays then.

    To scikit-learn this is a clusterer whatever the inner model is: in searches and
    cross-validations of a classifier give ``cv=StratifiedKFold()``, as folds are not stratified
    for a number.

    With scikit-learn 1.9 or newer, ``set_callbacks(ProgressBar())`` shows the fit of the inner
    model, where it supports callbacks, and the merges; also when it is set on a search around
    this estimator. A fit that is interrupted leaves the estimator as it was.

    References
    ----------
    .. [1] E. Palumbo, M. Vandenhirtz, A. Ryser, I. Daunhawer, J. E. Vogt, "From Logits to
       Hierarchies: Hierarchical Clustering made Simple", ICML 2025, arXiv:2410.07858.

    Examples
    --------
    >>> from sklearn.cluster import KMeans
    >>> from sklearn.datasets import make_blobs
    >>> from skl2h import L2HClustering
    >>> X, _ = make_blobs(centers=[[0, 0], [0, 2], [9, 9], [9, 6]], random_state=0)
    >>> model = L2HClustering(KMeans(4, random_state=0), n_clusters=2).fit(X)
    >>> model.children_.shape
    (3, 2)
    >>> model.predict([[0, 1], [8, 8]]) == model.predict([[0, 2], [9, 6]])
    array([ True,  True])
    >>> model.cut([4, 2, 1]).shape
    (100, 3)
    >>> model.predict_proba(X, level=3).shape
    (100, 3)
    """

    def __init__(
        self,
        estimator,
        *,
        n_clusters=None,
        method="l2h",
        response_method="auto",
        temperature=1.0,
        aggregation="sum_of_means",
        input="logits",
        n_jobs=None,
        verbose=0,
        persist=True,
    ):
        self.estimator = estimator
        self.n_clusters = n_clusters
        self.method = method
        self.response_method = response_method
        self.temperature = temperature
        self.aggregation = aggregation
        self.input = input
        self.n_jobs = n_jobs
        self.verbose = verbose
        self.persist = persist

    @with_callbacks
    def fit(self, X, y=None, **params):
        """Fit the inner model, then merge its clusters into a tree.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Whatever the inner model takes; it is passed on as it is. The logits, or the
            probabilities, for ``"precomputed"``.
        y : array-like, default=None
            For inner models that need it.
        **params : dict
            Passed to the ``fit`` of the inner model, as metadata routing says if it is enabled.
            ``sample_weight`` weighs the rows of the tree as well. Where the inner model takes no
            weights, or is a Pipeline, enable metadata routing, or give a `FrozenEstimator`.

        Returns
        -------
        self : L2HClustering
            The fitted estimator.

        Raises
        ------
        ValueError
            If a parameter is out of range, the logits are not real numbers or have masked entries,
            a row of them has NaN, +inf or nothing but -inf, or rows can be of several classes at
            once.
        TypeError
            If a parameter is of another type, the inner model is neither a clusterer nor a
            classifier, or its ``fit`` does not take one of `params`.
        AttributeError
            If the inner model gives no scores.

        Warns
        -----
        LogitsWarning
            If what is given as logits looks like probabilities; see :func:`l2h_tree`. With
            ``"precomputed"``, whatever reads X later warns as well.
        """
        check_parameters(self)
        X, estimator, response, task = fit_inner(self, X, y, params)
        weights = params.get("sample_weight")
        with source_of(
            response, estimator, X, weights, n_jobs=self.n_jobs, persist=bool(self.persist)
        ) as source:
            if response.kind == "distances":
                response = response.scaled_by(source.mean_square())
                source.divide_by(response.divisor)
            features, n_leaves = features_of(estimator, source), source.shape[1]
            names = leaf_names(estimator, n_leaves) or source.names
            is_auto = isinstance(self.n_clusters, str)
            n_clusters = n_leaves if self.n_clusters is None or is_auto else self.n_clusters
            if not 1 <= n_clusters <= n_leaves:
                raise ValueError(
                    f"n_clusters={shown(n_clusters)} is out of range: the inner model has "
                    f"{n_leaves} clusters, so it can be 1 to {n_leaves}."
                )
            n_reports = N_REPORTS if self.method == "l2h" else 1
            merging = task.part("merge", min(n_leaves, n_reports + 1)).begin()
            tree, leaves = build_tree(
                source,
                method=self.method,
                names=names,
                aggregation=self.aggregation,
                n_jobs=self.n_jobs,
                verbose=self.verbose,
                on_merge=merging.on_merge(),
            )
            mass = None
            if is_auto:
                mass = source.sum_of(partial(mass_of_merges, tree))
                n_clusters = best_levels(mass, 1)[0][0]
        n_clusters = operator.index(n_clusters)
        merging.end()
        labels, linkage_matrix = take(tree.cut(n_clusters), leaves), tree.to_linkage()

        # All that takes long or can fail has been done: an interrupted refit leaves the last
        # fit whole.
        keep_features(self, features)
        self.estimator_ = estimator
        self.response_ = response.of_tree(n_leaves, names)
        self.mass_of_merges_ = mass
        self.tree_ = tree
        self.children_ = tree.children
        self.distances_ = tree.scores
        self.leaf_labels_ = leaves
        self.leaf_counts_ = tree.counts
        self.n_leaves_ = n_leaves
        self.n_clusters_ = n_clusters
        self.labels_ = labels
        self.linkage_matrix_ = linkage_matrix
        task.end(reconstruction_attributes={})  # the estimator itself is ready
        return self

    def fit_predict(self, X, y=None, **params):
        """Fit, and return the group of each row.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            As for `fit`.
        y : array-like, default=None
            For inner models that need it.
        **params : dict
            Passed to `fit`.

        Returns
        -------
        labels : ndarray of shape (n_samples,), dtype=intp
            `labels_`.

        Raises
        ------
        ValueError
            As `fit` does.
        """
        return self.fit(X, y, **params).labels_

    def cut(self, level):
        """Group of each fitted row, at any level.

        Parameters
        ----------
        level : int or sequence of int
            Number of groups, from 1 to `n_leaves_`.

        Returns
        -------
        labels : ndarray of shape (n_samples,) or (n_samples, n_levels), dtype=intp
            Groups are numbered by their smallest leaf. A sequence gives one column each.

        Raises
        ------
        NotFittedError
            If `fit` has not been called.
        ValueError
            If there is no such level.

        Notes
        -----
        Levels are nested. Every level has that many groups of leaves; one without rows has no
        label among the rows.
        """
        check_is_fitted(self)
        if level is None:
            raise TypeError("level must be an integer or a sequence of integers, got None.")
        return take(self.tree_.cut(level), self.leaf_labels_)

    @available_if(_estimator_has("score"))
    def score(self, X, y=None, **params):
        """Score of the inner model, as it defines it.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Whatever the inner model takes.
        y : array-like, default=None
            For inner models that need it.
        **params : dict
            Passed to the ``score`` of the inner model.

        Returns
        -------
        score : float
            As the inner model defines it.

        Raises
        ------
        NotFittedError
            If `fit` has not been called.
        ValueError
            If the inner model, fitted anew, no longer has the tree's leaves for columns.

        Warns
        -----
        UnseenClassWarning
            If the inner model is a classifier that has never seen some class of y, so that no row
            of it can be right.

        Notes
        -----
        In searches and cross-validations of a classifier give ``cv=StratifiedKFold()``. To
        scikit-learn this is a clusterer, so an integer, or None, cuts the rows in their order:
        where they are sorted by class, each fold is scored by a model that has not seen its class.
        """
        check_is_fitted(self)
        refuse_dask(X)
        X = rows_of(self.estimator_, X)
        self.response_.check(self.estimator_, X)
        if get_config()["enable_metadata_routing"]:
            params = process_routing(self, "score", **params).estimator.score
        score = self.estimator_.score(X, y, **params)
        warn_of_unseen(self.estimator_, y)
        return score

    def get_metadata_routing(self):
        """Metadata routing: ``sample_weight``, and whatever the inner model asks for.

        Returns
        -------
        routing : MetadataRouter
            As scikit-learn's routing wants it.
        """
        request = super().get_metadata_routing()
        request.fit.add_request(param="sample_weight", alias=True)
        router = MetadataRouter(owner=type(self).__name__).add_self_request(request)
        if not is_precomputed(self.estimator):
            mapping = MethodMapping().add(caller="fit", callee="fit")
            mapping = mapping.add(caller="fit_predict", callee="fit")
            mapping = mapping.add(caller="score", callee="score")
            router = router.add(estimator=self.estimator, method_mapping=mapping)
        return router

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = is_precomputed(self.estimator)
        tags.input_tags.positive_only = self.input == "probabilities"
        inner = tags_of(self.estimator)
        if inner is not None:
            # Field by field: some carry a tag that turns all checks off.
            for field in (
                "sparse", "allow_nan", "pairwise", "positive_only", "string", "categorical"
            ):  # fmt: skip
                setattr(tags.input_tags, field, getattr(inner.input_tags, field))
            frozen = isinstance(self.estimator, FrozenEstimator)
            tags.target_tags.required = inner.target_tags.required and not frozen
        # scikit-learn's checks read these of whatever has predict_proba, a clusterer or not.
        tags.classifier_tags = ClassifierTags()
        return tags

    @property
    def _repr_html_(self):
        # Without diagrams in scikit-learn's configuration, this raises AttributeError.
        diagram = super()._repr_html_

        def diagram_and_picture():
            try:
                shown = diagram()
            except UnicodeDecodeError:
                # scikit-learn reads its own style and script in the encoding of the surroundings,
                # which fails where that is ASCII.
                shown = f"<pre>{as_text(repr(self))}</pre>"
            return shown + self._picture()

        return diagram_and_picture

    def _repr_mimebundle_(self, **kwargs):
        bundle = {"text/plain": repr(self)}
        if hasattr(self, "_repr_html_"):
            bundle["text/html"] = self._repr_html_()
        return bundle

    def _picture(self):
        """The fitted tree, to be shown below scikit-learn's diagram of the parameters."""
        if not hasattr(self, "tree_"):
            return ""
        level = self.n_clusters_ if self.n_clusters_ < self.n_leaves_ else min(self.n_leaves_, 10)
        return picture_of(self.tree_, level)
