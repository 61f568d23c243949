"""Which levels of a tree tell most of where its rows would go."""

from functools import partial

from sklearn.utils.validation import check_is_fitted

from ..exceptions.arguments import as_choice, as_count
from ..exceptions.texts import shown
from ..logits.of_models import Precomputed
from ..merge.source import RowsInMemory
from ..tree.checks import check_order
from ..tree.merge_tree import MergeTree
from .affinity import as_confusion
from .estimator import L2HClustering
from .fitted import fitted_logits, last_step, refuse_input
from .level_gains import best_levels, mass_of_merges, mass_of_shares
from .profile_matrix import shares_of

__all__ = ["suggest_levels"]


def suggest_levels(source, X=None, *, sample_weight=None, n_levels=5, input="logits"):
    """Levels of a tree at which to cut it, best first.

    A row that had to leave its leaf would go to the other leaves with certain probabilities, the
    softmax over them. Were these even, a share p of all that mass would stay within the groups of
    a level; in truth it is q. The best level is where q stands out of p the most: where q > p and
    the information ``q log(q / p) + (1 - q) log((1 - q) / (1 - p))`` is largest. Both are equal at
    the root and at the leaves, and at any level of a tree that says nothing; and where the mass
    between two leaves knows but two rates, a high one within some groups and a low one across
    them, no other level can tell more than that of these groups, as every other mixes the two
    rates (the data processing inequality [1]_). The next level is the one that adds most
    information to that, and so on.

    Parameters
    ----------
    source : MergeTree, or fitted L2HClustering or Pipeline that ends in one
        Whose levels are compared.
    X : array-like of shape (n_samples, n_features), default=None
        The rows that the tree was built of, or others. For a tree, and for ``"precomputed"``,
        their logits: {array-like, sparse matrix} of shape (n_samples, K). It is not needed if the
        estimator was fitted with ``n_clusters="auto"``: `fit` has kept what it takes. Of a
        :func:`confusion_tree`, its confusion matrix, with ``input="confusion"``.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each row of `X`, not negative; None weighs all 1.
    n_levels : int, default=5
        Most levels to give. There are fewer in a small tree, or where no other level adds
        anything.
    input : {"logits", "probabilities", "confusion"}, default="logits"
        What X is of a tree: logits, probabilities, or a confusion matrix, of which each line is
        divided by its sum without the diagonal. A model knows that itself.

    Returns
    -------
    levels : ndarray of shape (n_found,), dtype=intp
        Numbers of groups, from 2 to K - 1; only K, if no level says anything.
    gains : ndarray of shape (n_found,), dtype=float64
        Information that each adds to those before it, in nats per row. Near 0 a level is nothing
        but chance.

    Raises
    ------
    NotFittedError
        If the estimator has not been fitted.
    ValueError
        If `n_levels` is below 1, the logits are not those of the leaves, a row has no leaf, a
        weight is negative, or `input` is given with a model.
    TypeError
        If `source` is no tree, or `X` is needed and not there.

    Warns
    -----
    LogitsWarning
        If what is given as logits looks like probabilities; see :func:`l2h_tree`.

    See Also
    --------
    skl2h.metrics.reassignment_within : How much stays within each level, of any profiles.

    Notes
    -----
    Scores alone do not tell: with the default aggregation they grow with the number of leaves of
    a group, whatever its leaves have in common. So this reads the rows once more, which takes
    about as long as two softmaxes.

    A level of other groups than the tree's is never found: where groups that belong together
    differ much in size, the method, which merges small groups early, joins some of them before
    others are whole.

    Levels that differ in nothing but rounding are equal, and the smallest number of groups wins.

    References
    ----------
    .. [1] T. M. Cover, J. A. Thomas, "Elements of Information Theory", 2nd edition, 2006,
       section 2.8.

    Examples
    --------
    >>> from skl2h import l2h_tree, suggest_levels
    >>> from skl2h.datasets import make_hierarchical_logits
    >>> logits, _, _ = make_hierarchical_logits(1000, 16, random_state=0)
    >>> levels, gains = suggest_levels(l2h_tree(logits), logits, n_levels=3)
    >>> levels
    array([8, 4, 2])
    >>> gains.round(2)
    array([1.8 , 0.24, 0.01])

    Of a confusion matrix alone:

    >>> from skl2h import confusion_tree
    >>> matrix = [[50, 9, 1, 0], [8, 51, 0, 1], [0, 1, 40, 20], [1, 0, 15, 44]]
    >>> suggest_levels(confusion_tree(matrix), matrix, input="confusion", n_levels=1)[0]
    array([2])
    """
    n_levels = as_count("n_levels", n_levels)
    as_choice("input", input, ("logits", "probabilities", "confusion"))
    if isinstance(source, MergeTree):
        if X is None:
            raise TypeError(
                "A tree alone does not tell its levels: give the logits as well, or a confusion "
                "matrix with input='confusion'."
            )
        tree = source
        if input == "confusion":
            return best_levels(_mass_of_confusion(tree, X, sample_weight), n_levels)
        response = Precomputed(input=input)
        logits = response.logits(None, X)
        if logits.shape[1] != tree.n_leaves:
            raise ValueError(
                f"The logits have {logits.shape[1]} columns, but the tree has {tree.n_leaves} "
                "leaves."
            )
        if logits.names is not None:
            check_order(tree, logits.names)
        response.warn(logits)
    else:
        refuse_input(input)
        model, X = last_step(source, X)
        if not isinstance(model, L2HClustering):
            raise TypeError(
                f"A MergeTree or a fitted L2HClustering is needed, got {shown(source)}."
            )
        check_is_fitted(model)
        if X is None:
            return best_levels(_mass_kept(model, sample_weight), n_levels)
        tree, logits = model.tree_, fitted_logits(model, X)
    rows = RowsInMemory(logits)
    rows.weigh(sample_weight)
    return best_levels(rows.sum_of(partial(mass_of_merges, tree)), n_levels)


def _mass_of_confusion(tree, matrix, sample_weight):
    """What a confusion matrix says of the levels of a tree over its classes."""
    if sample_weight is not None:
        raise TypeError("sample_weight weighs rows of logits: a confusion matrix has none.")
    confusion, names = as_confusion(matrix)
    if len(confusion) != tree.n_leaves:
        raise ValueError(
            f"The confusion matrix has {len(confusion)} classes, but the tree has "
            f"{tree.n_leaves} leaves."
        )
    if names is not None:
        check_order(tree, names)
    return mass_of_shares(tree, shares_of(confusion))


def _mass_kept(model, sample_weight):
    """What a model that chose its level itself has kept of its rows."""
    if sample_weight is not None:
        raise TypeError("sample_weight weighs rows, of which there are none: give X as well.")
    if model.mass_of_merges_ is None:
        raise TypeError(
            'The model was not fitted with n_clusters="auto", so it has not kept what tells the '
            "levels: give X, the rows it was fitted on."
        )
    return model.mass_of_merges_
