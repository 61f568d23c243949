"""The affinity tree of logits or of a confusion matrix, and the likeness that it is made of."""

import numpy as np
from scipy.sparse import issparse

from ..exceptions.arguments import as_verbosity, check_n_jobs
from ..exceptions.arrays import as_array, column_names
from ..exceptions.texts import shown
from ..merge.affinity import likeness_of
from ..merge.source import RowsInMemory, source_of_logits
from ..tree.alignment import in_order, names_in_order
from .build import build_tree, check_memory_of_likeness, reassigned_of, tree_of_shares
from .fitted import fitted_logits, last_step, refuse_input
from .profile_matrix import shares_of

__all__ = ["affinities", "affinity_tree", "as_confusion", "confusion_tree"]


def affinity_tree(
    logits, *, sample_weight=None, input="logits", n_jobs=None, verbose=0, persist=True
):
    """Join the K clusters of a flat model by how alike they are, into one binary tree.

    The leaves are the K clusters, the columns of `logits`, not its rows. Two of them are alike if
    the rows of each would go to the other without their own, and if the rows of both would go to
    the same others. The tree is the average linkage of that.

    Parameters
    ----------
    logits : {array-like, sparse matrix, Dask array} of shape (n_samples, K), dtype=number
        Unnormalised log-probabilities of each row: adding a number to a row changes nothing.
        -inf says that a leaf is impossible for a row, and so does an entry that a sparse matrix,
        or a sparse frame of pandas, does not store. All that :func:`l2h_tree` takes: data frames,
        whose columns name the leaves, memory maps, lists of .npy files, arrays and data frames of
        Dask.
    sample_weight : array-like or Dask array of shape (n_samples,), default=None
        Weight of each row, not negative; None weighs all 1. A whole weight is the same as that
        many equal rows.
    input : {"logits", "probabilities"}, default="logits"
        What the numbers are. Of probabilities, the logarithms are the logits; rows need not sum
        to 1, and 0, or what a sparse matrix does not store, says that a leaf is impossible.
    n_jobs : int, default=None
        Threads that read the rows; see ``n_jobs`` in scikit-learn's glossary. Any number
        gives the same tree. Of a Dask array, its scheduler decides.
    verbose : int, default=0
        1 prints a line for each of the steps: the temperature, the rows, the merges.
    persist : bool, default=True
        Whether the workers keep the chunks of a Dask array in memory until the tree is made; else
        they are computed twice, as some of their rows are needed beforehand.

    Returns
    -------
    tree : MergeTree
        ``children`` as SciPy's linkage has them, ``scores`` the heights, which rise, ``counts``
        the rows of each leaf, or their weight.

    Raises
    ------
    ValueError
        If a row has NaN, +inf or nothing but -inf, or a negative probability (the first such row
        is named), if the array is not 2-dimensional or not of real numbers, if entries are
        masked, a weight is negative, or a few arrays of shape (K, K) would not fit in memory.
    TypeError
        If `n_jobs` or `verbose` is not an integer, or `persist` not a bool.

    Warns
    -----
    LogitsWarning
        If what is given as logits looks like probabilities: nothing is negative, and every row
        sums to 1, within 0.01.
    StrandedGroupWarning
        If nothing would go to or from a leaf, so that its place in the tree has no meaning.

    See Also
    --------
    l2h_tree : The tree of the least sure group first, which needs no array of shape (K, K).
    confusion_tree : The same tree from a confusion matrix alone.
    affinities : How alike any two leaves are.

    Notes
    -----
    1. A row would go to the leaves outside its own by the softmax of its logits over the
       temperature T. With T the mean entropy of that, over at most 2,000 rows, is log 4: it goes
       to about four leaves. (With K below 9 the entropy is log((K - 1) / 2); T is 1 if K is below
       4, if rows have too few possible leaves, or if all of these 2,000 rows weigh 0.) So a
       factor on the logits changes nothing.
    2. R[a, b] is the share of the rows of a that would go to b. Rows that can go nowhere are among
       those of a. Divided by the mean of its column, over all leaves, R[a, b] says how much more
       than other leaves a sends to b. The lift S[a, b] is the mean of that and the same from b to
       a.
    3. The likeness is L = log(1 + S). The first order is how far it is below the largest; the
       second, how far the line of a is from that of b, when L has been centred by line and by
       column and lines have length 1.
    4. Each order is divided by its standard deviation over the pairs. Their sum is the distance
       of two leaves, and average linkage [1]_ makes the tree.

    Cuts are nested. Permuting rows changes nothing, and permuting columns permutes the leaves;
    where distances are equal, it is as SciPy has it. Sums are added in one order, whatever
    `n_jobs` is; in other blocks, or other chunks, the last digits of heights may differ.

    References
    ----------
    .. [1] D. Müllner, "Modern hierarchical, agglomerative clustering algorithms", 2011,
       arXiv:1109.2378.

    Examples
    --------
    >>> from skl2h import affinity_tree
    >>> tree = affinity_tree([[3, 2, 0, 0], [2, 3, 0, 0], [1, 0, 4, 2], [0, 0, 2, 4]])
    >>> tree.children
    array([[2, 3],
           [0, 1],
           [4, 5]])
    >>> tree.scores.round(1)
    array([0.1, 0.2, 4.4])
    >>> tree.cut(2)
    array([0, 0, 1, 1])
    """
    verbose = as_verbosity("verbose", verbose)
    with source_of_logits(logits, sample_weight, input, n_jobs, persist) as source:
        options = {"names": source.names, "n_jobs": n_jobs, "verbose": verbose}
        return build_tree(source, method="affinity", **options)[0]


def affinities(source, X=None, *, sample_weight=None, input="logits", n_jobs=None, persist=True):
    """How alike any two of the K clusters of a flat model are.

    Parameters
    ----------
    source : {array-like, sparse matrix, Dask array} of shape (n_samples, K), dtype=number
        Logits, as of :func:`affinity_tree`. Or a fitted `L2HClustering`, whatever its `method`, or
        a Pipeline that ends in one.
    X : array-like of shape (n_samples, n_features), default=None
        With a model, the rows that it was fitted on, or others.
    sample_weight : array-like or Dask array of shape (n_samples,), default=None
        Weight of each row, not negative; None weighs all 1.
    input : {"logits", "probabilities"}, default="logits"
        What the numbers are, where logits are given. A model knows that itself.
    n_jobs : int, default=None
        Threads that read the rows. Any number gives the same result.
    persist : bool, default=True
        Whether the workers keep the chunks of a Dask array in memory meanwhile; else they are
        computed twice.

    Returns
    -------
    likeness : ndarray of shape (K, K), dtype=float64
        Symmetric and not negative, 0 on the diagonal. 0 says that no row of one leaf would go to
        the other.

    Raises
    ------
    NotFittedError
        If a model has not been fitted.
    ValueError
        If logits or weights are at fault, or a few arrays of shape (K, K) would not fit in
        memory, as of :func:`affinity_tree`, or `input` is given with a model.
    TypeError
        If `n_jobs` is not an integer, `persist` not a bool, or `X` is given without a model or
        the other way round.

    Warns
    -----
    LogitsWarning
        If what is given as logits looks like probabilities.

    See Also
    --------
    affinity_tree : The tree of the leaves that this is a part of.

    Notes
    -----
    ``likeness[a, b]`` is log(1 + S), where S is the mean of two lifts: the share of the rows of a
    that would go to b without a, over the mean of such shares of b, over all leaves; and the same
    from b to a. So a leaf to which the rows of everybody would go is not like everybody.

    Examples
    --------
    The leaves that are most alike one of them, from the first on:

    >>> from skl2h import affinities
    >>> from skl2h.datasets import make_hierarchical_logits
    >>> logits, _, _ = make_hierarchical_logits(1000, 8, random_state=0)
    >>> likeness = affinities(logits)
    >>> leaf, k = 0, 3
    >>> most_alike = likeness[leaf].argsort()[::-1][:k]
    >>> most_alike.tolist()[0], sorted(most_alike.tolist()[1:])
    (3, [1, 7])
    >>> likeness[leaf, most_alike].round(1)
    array([1.7, 0.8, 0.8])
    """
    if not hasattr(source, "fit"):
        if X is not None:
            raise TypeError("X is for a fitted model: logits are given alone.")
        rows = source_of_logits(source, sample_weight, input, n_jobs, persist)
    else:
        refuse_input(input)
        check_n_jobs(n_jobs)
        model, X = last_step(source, X)
        if X is None:
            raise TypeError("X is needed: a model does not keep the rows it was fitted on.")
        rows = RowsInMemory(fitted_logits(model, X), n_jobs)
        rows.weigh(sample_weight)
    with rows:
        return likeness_of(reassigned_of(rows, n_jobs).shares)


def confusion_tree(matrix, *, names=None):
    """Join classes by how alike they are, from a confusion matrix alone.

    That is :func:`affinity_tree` with the shares of a matrix in place of where rows would go.

    Parameters
    ----------
    matrix : {array-like, sparse matrix} of shape (n_classes, n_classes), dtype=number
        Counts or shares, not negative: ``matrix[a, b]`` is how much of class a was taken for b.
        The diagonal is not needed, and may be NaN. A line may be empty, as of a class without
        rows. The columns of a data frame name the classes; its index must have the same names,
        in any order.
    names : sequence of str of length n_classes, or dict, default=None
        Names of the classes; a dict renames some of them. None takes those of a data frame, or
        numbers.

    Returns
    -------
    tree : MergeTree
        ``children`` as SciPy's linkage has them, ``scores`` the heights, which rise.

    Raises
    ------
    ValueError
        If the matrix is not square, or outside of its diagonal not of finite numbers that are at
        least 0, if its last line and column are the sums of the others, if the index and the
        columns of a data frame differ, the number of names is another, or a few arrays of its
        shape would not fit in memory.
    TypeError
        If `names` are in no order, as those of a set.

    Warns
    -----
    StrandedGroupWarning
        If a class is neither taken for another nor another for it, so that its place in the tree
        has no meaning.

    See Also
    --------
    affinity_tree : The tree of logits, which tell of every row where else it would go.

    Notes
    -----
    Each line is divided by its sum without the diagonal, so that classes of all sizes count the
    same, and a factor on a line changes nothing. The rest is as of :func:`affinity_tree`, from
    its second step on; there is no temperature.

    Examples
    --------
    >>> from skl2h import confusion_tree
    >>> matrix = [[50, 9, 1, 0], [8, 51, 0, 1], [0, 1, 40, 20], [1, 0, 15, 44]]
    >>> tree = confusion_tree(matrix, names=["cat", "dog", "car", "truck"])
    >>> [tree.names[leaf] for leaf in tree.members(4)]
    ['cat', 'dog']
    >>> tree.cut(2)
    array([0, 0, 1, 1])
    """
    shares, names = as_confusion(matrix, names)
    shares = shares_of(shares)
    return tree_of_shares(shares, names)


def as_confusion(matrix, names=None):
    """A confusion matrix as an array, with lines in the order of its columns, and names or None.

    The array is new, (n_classes, n_classes) of float64 with 0 on its diagonal. Arguments and errors
    are those of :func:`confusion_tree`.
    """
    labels = column_names(matrix)
    if labels is not None:
        matrix = in_order("matrix", matrix, labels)
    matrix = as_array("matrix", matrix, accept_sparse=True)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not matrix.shape[0]:
        raise ValueError(
            f"matrix must be square, a line and a column for each class, got the shape "
            f"{matrix.shape}."
        )
    n_classes = matrix.shape[0]
    check_memory_of_likeness(n_classes)
    matrix = matrix.toarray() if issparse(matrix) else matrix
    confusion = np.array(matrix, dtype=np.float64, order="C")  # sums are of the same order for all
    _refuse_margins(confusion)
    np.fill_diagonal(confusion, 0.0)
    bad = ~(np.isfinite(confusion) & (confusion >= 0))
    if bad.any():
        a, b = map(int, np.argwhere(bad)[0])
        raise ValueError(
            f"matrix must be finite and not negative outside its diagonal, but matrix[{a}, {b}] is "
            f"{shown(float(confusion[a, b]))}."
        )
    if names is not None:
        old = labels or list(map(str, range(n_classes)))
        labels = names_in_order(names, old)
        if len(labels) != n_classes:
            raise ValueError(f"{len(labels)} names were given for {n_classes} classes.")
    return confusion, labels


def _refuse_margins(matrix):
    """Refuse sums of lines and columns for a class, as `pandas.crosstab` gives them on request."""
    inside = matrix[:-1, :-1]
    with np.errstate(all="ignore"):
        sums = inside.sum(axis=0), inside.sum(axis=1), inside.sum()
        margins = matrix[-1, :-1], matrix[:-1, -1], matrix[-1, -1]
        are_sums = all(np.allclose(*pair, rtol=1e-12, atol=0) for pair in zip(sums, margins))
    if are_sums and sums[2] > 0 and len(inside) > 1:
        raise ValueError(
            "The last line and column of matrix are the sums of the others, not a class: leave "
            "them out, as margins=False does in pandas.crosstab."
        )
