"""L2H behind scikit-learn's API: logits, merges and tree, put together."""

import operator
from functools import partial

import numpy as np
from sklearn import get_config
from sklearn.base import BaseEstimator, ClusterMixin, MetaEstimatorMixin, clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils import ClassifierTags
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    process_routing,
)
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from ..exceptions.arguments import as_flag, as_index, as_number, as_verbosity, check_n_jobs
from ..exceptions.arrays import column_names, refuse_masked
from ..exceptions.texts import shown
from ..logits.inner_model import (
    refuse_but_weights,
    refuse_metadata,
    refuse_other_kinds,
    refuse_targets,
    tags_of,
    warn_of_unseen,
)
from ..logits.kinds import is_dask, refuse_dask, sample_of
from ..logits.of_models import Response, leaf_names
from ..merge.distributed.dask_arrays import take
from ..merge.loop import N_REPORTS
from ..merge.progress import CallbackSupportMixin, Task, with_callbacks
from ..tree.notebook import as_text, picture_of
from .build import build_tree, check_aggregation, check_input
from .confidence import deepest_nodes
from .level_gains import best_levels, mass_of_merges
from .logits_of_rows import (
    check_columns,
    check_dask,
    is_precomputed,
    logits_to_fit,
    map_rows,
    rows_of,
)

__all__ = ["L2HClustering"]


def _inner_has(attribute):
    """Whether the inner model, fitted or not, has an attribute."""

    def check(self):
        return hasattr(getattr(self, "estimator_", self.estimator), attribute)

    return check


class L2HClustering(CallbackSupportMixin, MetaEstimatorMixin, ClusterMixin, BaseEstimator):
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
    response_method : str or callable, default="auto"
        What to ask of the fitted inner model. "auto" takes the first it has of
        ``decision_function``, ``predict_log_proba``, ``predict_proba`` (its logarithm) and, for
        models with cluster centres, ``transform`` (minus the squared distance, over twice the
        mean squared distance of the fitted rows to their own centre). Or the name of a method,
        or ``f(estimator, X)`` that returns (n_samples, K) logits.
    temperature : float, default=1.0
        Divides the logits. Above 1 for a model that is too sure of itself.
    aggregation : {"sum_of_means", "sum", "mean"}, default="sum_of_means"
        Score of a group; see :func:`l2h_tree`.
    input : {"logits", "probabilities"}, default="logits"
        What X is, with ``"precomputed"``. Of probabilities, the logarithms are the logits. An inner
        model is asked by `response_method`, which tells what its scores are.
    n_jobs : int, default=None
        Threads that read the rows. Any number gives the same tree.
    verbose : int, default=0
        1 prints a line at each tenth of the merges.
    persist : bool, default=True
        Of a Dask array, whether the workers keep the logits in memory during `fit`, and 56 bytes
        for each row, 64 with weights; else each pass computes them again.

    Attributes
    ----------
    estimator_ : estimator or "precomputed"
        The fitted inner model.
    tree_ : MergeTree
        The hierarchy: names, counts, cuts, members, paths.
    children_ : ndarray of shape (K - 1, 2), dtype=intp
        The two nodes of each merge, selected group first; merge t makes node K + t.
    distances_ : ndarray of shape (K - 1,), dtype=float64
        Score of the selected group at each merge.
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
        For SciPy; heights are the ranks 1..K-1.
    n_features_in_ : int
        Features seen by the inner model, if it tells.
    feature_names_in_ : ndarray of shape (n_features,), dtype=object
        Names of the features, if the inner model has them.

    See Also
    --------
    l2h_tree : The tree alone, from a matrix of logits.
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
        _check_parameters(self)
        X = rows_of(self.estimator, X)
        if is_dask(X):
            check_dask(self)
        n_tasks = 1 if is_precomputed(self) else 2
        task = Task.of_fit(self, n_tasks, X, y, params.get("sample_weight"))
        if is_precomputed(self):
            refuse_but_weights("fit(logits)", params.keys())
            estimator, names = self.estimator, column_names(X)
            response = Response(self.estimator, float(self.temperature), self.input)
        else:
            # A function may make scores of any model.
            is_free = callable(self.response_method)
            refuse_masked("y", y)
            if not is_free:
                refuse_other_kinds(self.estimator)
                refuse_targets(self.estimator, y)
            inner_params = params
            is_frozen = isinstance(self.estimator, FrozenEstimator)
            is_routed = get_config()["enable_metadata_routing"]
            if is_frozen or not is_routed:
                refuse_metadata(self.estimator, params.keys())
            if is_routed:
                inner_params = process_routing(self, "fit", **params).estimator.fit
            estimator = clone(self.estimator)
            with task.part("fit-estimator").of_inner(estimator):
                estimator = estimator.fit(X, y, **inner_params)
            if not is_free:
                refuse_other_kinds(estimator)  # a meta-estimator may tell only now
            response = Response.find(estimator, self.response_method, float(self.temperature))
        weights = params.get("sample_weight")
        with logits_to_fit(self, estimator, response, X, weights) as (logits, response, weights):
            n_leaves = logits.shape[1]
            if not is_precomputed(self):
                # A chunk of Dask's tells no labels.
                names = leaf_names(estimator, n_leaves) or getattr(logits, "names", None)
            is_auto = isinstance(self.n_clusters, str)
            n_clusters = n_leaves if self.n_clusters is None or is_auto else self.n_clusters
            if not 1 <= n_clusters <= n_leaves:
                raise ValueError(
                    f"n_clusters={shown(n_clusters)} is out of range: the inner model has "
                    f"{n_leaves} clusters, so it can be 1 to {n_leaves}."
                )
            merging = task.part("merge", min(n_leaves, N_REPORTS + 1)).begin()
            tree, leaves = build_tree(
                logits,
                weights=weights,
                names=names,
                aggregation=self.aggregation,
                n_jobs=self.n_jobs,
                verbose=self.verbose,
                on_merge=merging.on_merge(),
            )
            mass = None
            if is_auto:
                if is_dask(X):
                    mass = logits.sum_of(partial(mass_of_merges, tree))
                else:
                    mass = mass_of_merges(tree, logits, leaves, weights)
                n_clusters = best_levels(mass, 1)[0][0]
        n_clusters = operator.index(n_clusters)
        merging.end()
        labels, linkage_matrix = take(tree.cut(n_clusters), leaves), tree.to_linkage()

        # All that takes long or can fail has been done: an interrupted refit leaves the last
        # fit whole.
        if is_precomputed(self):
            check_columns(self, sample_of(X), n_leaves, reset=True)
        else:
            _copy_or_remove(self, estimator, "n_features_in_")
            _copy_or_remove(self, estimator, "feature_names_in_")
        self.estimator_ = estimator
        self._response = response.of_tree(n_leaves, names)
        self._mass_of_merges = mass
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

    def predict(self, X, *, level=None):
        """Group of each row.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Whatever the inner model takes.
        level : int or sequence of int, default=None
            Number of groups, from 1 to `n_leaves_`; None means `n_clusters_`.

        Returns
        -------
        labels : ndarray of shape (n_samples,) or (n_samples, n_levels), dtype=intp
            The group of the row's leaf, which has the largest logit. A sequence of levels gives
            one column each. On the fitted rows this is `labels_` at every level.

        Raises
        ------
        NotFittedError
            If `fit` has not been called.
        ValueError
            If there is no such level, a row has no leaf, or the inner model, fitted anew, no
            longer has the tree's leaves for columns.
        """
        check_is_fitted(self)
        groups = self.tree_.cut(self.n_clusters_ if level is None else level)
        return map_rows(self, partial(_groups_of_rows, groups=groups), X, groups.shape[1:])

    def predict_proba(self, X, *, level=None):
        """Probability of each group.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Whatever the inner model takes.
        level : int, default=None
            Number of groups, from 1 to `n_leaves_`; None means `n_clusters_`.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, level), dtype=float64
            Softmax of the logits, summed over the leaves of each group; rows sum to 1.

        Raises
        ------
        NotFittedError
            If `fit` has not been called.
        ValueError
            If there is no such level, a row has no leaf, or the inner model, fitted anew, no
            longer has the tree's leaves for columns.

        Notes
        -----
        The most probable group need not hold the most probable leaf, which `predict` follows.
        """
        check_is_fitted(self)
        groups = self.tree_.cut(self.n_clusters_ if level is None else level)
        if groups.ndim > 1:
            raise TypeError(f"predict_proba takes one level at a time, got {shown(level)}.")
        n_groups = int(groups.max()) + 1
        probabilities = partial(_group_probabilities, groups=groups, n_groups=n_groups)
        return map_rows(self, probabilities, X, (n_groups,), np.float64)

    def predict_node(self, X, *, min_confidence=0.9):
        """Deepest node that the model is sure of, for each row.

        On the way up from the row's leaf, which `predict` follows, the first node whose
        probability reaches `min_confidence`: a leaf where the model can tell, a group of
        look-alikes where it cannot tell which of them.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Whatever the inner model takes.
        min_confidence : float, default=0.9
            Probability that the node must have, above 0 and at most 1: the softmax of the logits,
            summed over the leaves of the node.

        Returns
        -------
        nodes : ndarray of shape (n_samples,), dtype=intp
            Nodes of `tree_`: below `n_leaves_` they are leaves. ``tree_.node_names()[nodes]``
            names them.

        Raises
        ------
        NotFittedError
            If `fit` has not been called.
        ValueError
            If `min_confidence` is out of range, a row has no leaf, or the inner model, fitted
            anew, no longer has the tree's leaves for columns.
        TypeError
            If `min_confidence` is not a number.

        Notes
        -----
        The node holds the row's leaf, so it is right wherever the leaf is: accuracy never falls
        below that of the leaves. A higher `min_confidence` gives the same node or an ancestor of
        it, and up to 1 / K gives the leaf. The root has all probability, and is reached by every
        row.

        What is outside the node is added up, and compared with ``1 - min_confidence``, so that
        0.999999 and more can be told apart; a relative 1e-9 above that is a tie, and reaches it.
        With 1, what is outside must be 0 in float64. In a binary tree a row may have a deeper node
        that reaches `min_confidence` without its most probable leaf; that one is not given.

        Probabilities are only as good as the model's: `temperature`, or a calibrated inner model,
        makes them honest.

        Examples
        --------
        >>> import numpy as np
        >>> from skl2h import L2HClustering
        >>> logits = np.array([[3.0, 2, 0, 0], [2, 3, 0, 0], [0, 0, 9, 2], [0, 0, 2, 9]])
        >>> model = L2HClustering("precomputed").fit(logits)
        >>> nodes = model.predict_node(logits)
        >>> nodes
        array([4, 4, 2, 3])
        >>> model.tree_.node_names({4: "a bird"})[nodes]
        array(['a bird', 'a bird', '2', '3'], dtype=object)
        """
        check_is_fitted(self)
        confidence = as_number("min_confidence", min_confidence, most=1)
        return map_rows(self, partial(deepest_nodes, tree=self.tree_, confidence=confidence), X)

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

    @available_if(_inner_has("score"))
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
        self._response.check(self.estimator_, X)
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
        if not is_precomputed(self):
            mapping = MethodMapping().add(caller="fit", callee="fit")
            mapping = mapping.add(caller="fit_predict", callee="fit")
            mapping = mapping.add(caller="score", callee="score")
            router = router.add(estimator=self.estimator, method_mapping=mapping)
        return router

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = is_precomputed(self)
        tags.input_tags.positive_only = is_precomputed(self) and self.input == "probabilities"
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


def _check_parameters(model):
    estimator = model.estimator
    can_fit = hasattr(estimator, "fit") and not isinstance(estimator, type)
    if not is_precomputed(model) and not can_fit:
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
    check_input(model.input)
    if model.input != "logits" and not is_precomputed(model):
        raise ValueError(
            f"input={shown(model.input)} says what X is for estimator='precomputed'; an inner "
            "model is asked for its scores. Leave input out, and choose what to ask with "
            "response_method, such as 'predict_proba'."
        )
    check_n_jobs(model.n_jobs)
    as_verbosity("verbose", model.verbose)
    as_flag("persist", model.persist)


def _groups_of_rows(logits, groups):
    return groups[logits.leaves()]


def _group_probabilities(logits, groups, n_groups):
    return logits.group_probabilities(groups, n_groups)


def _copy_or_remove(model, source, attribute):
    """Set an attribute as the source has it, or make sure that there is none."""
    if hasattr(source, attribute):
        setattr(model, attribute, getattr(source, attribute))
    elif hasattr(model, attribute):
        delattr(model, attribute)
