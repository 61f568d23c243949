"""As deep as is safe: predict_node."""

from itertools import pairwise
from math import exp, fsum, inf

import numpy as np
import pytest
from helpers.trees import chain, random_tree
from scipy.sparse import csr_matrix
from sklearn import config_context
from sklearn.datasets import load_digits, make_blobs
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import train_test_split

from skl2h import L2HClustering, MergeTree
from skl2h.hierarchy.confidence import deepest_nodes
from skl2h.logits.matrix import as_logits

THRESHOLDS = [1e-9, 0.2, 0.3, 0.5, 0.7, 0.9, 0.99, 1 - 1e-6, 1 - 1e-13, 1.0]


def sparse_of(dense):
    rows, columns = np.nonzero(np.isfinite(dense))
    return csr_matrix((dense[rows, columns], (rows, columns)), dense.shape)


def plain_node(row, tree, confidence):
    """First node up from the leaf of which no more than 1 - confidence is outside."""
    row = row.tolist()
    leaf = max(range(len(row)), key=row.__getitem__)
    p = [exp(value - row[leaf]) for value in row]
    for node in tree.path(leaf).tolist():
        members = set(tree.members(node).tolist())
        outside = fsum(value for c, value in enumerate(p) if c not in members)
        if outside <= (1 - confidence) * (1 + 1e-9) * fsum(p):
            return node
    raise AssertionError("nothing is outside the root")


@pytest.mark.parametrize("scale", [0.3, 3.0, 30.0, 400.0])
@pytest.mark.parametrize("make", [chain, lambda n: random_tree(n, n)])
@pytest.mark.parametrize("n_leaves", [1, 2, 3, 5, 8, 33])
def test_equals_the_definition(n_leaves, make, scale):
    """Dense and sparse, sure and unsure, with ties and impossible leaves."""
    rng = np.random.default_rng(0)
    tree = make(n_leaves)
    logits = scale * rng.standard_normal((40, n_leaves))
    logits[10:] = logits[10:].round()
    logits[20:][rng.random((20, n_leaves)) < 0.4] = -inf
    logits[20:, rng.integers(n_leaves)] = 0.0
    for confidence in [*THRESHOLDS, 1 / n_leaves]:
        expected = [plain_node(row, tree, confidence) for row in logits]
        for form in (logits, sparse_of(logits)):
            assert deepest_nodes(as_logits(form), tree, confidence).tolist() == expected


def fitted(n_leaves=12, scale=2.0):
    logits = scale * np.random.default_rng(0).standard_normal((500, n_leaves))
    return L2HClustering("precomputed").fit(logits), logits


@pytest.mark.parametrize("scale", [0.1, 2.0, 50.0])
def test_a_higher_threshold_gives_the_node_or_an_ancestor(scale):
    model, logits = fitted(scale=scale)
    nodes = [model.predict_node(logits, min_confidence=c) for c in THRESHOLDS]
    for deep, high in pairwise(nodes):
        assert np.array_equal(model.tree_.lca(deep, high), high)


def test_every_node_holds_the_leaf():
    model, logits = fitted()
    for confidence in THRESHOLDS:
        nodes = model.predict_node(logits, min_confidence=confidence)
        assert nodes.dtype == np.intp
        assert np.array_equal(model.tree_.lca(nodes, model.leaf_labels_), nodes)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_up_to_one_in_k_the_node_is_the_leaf(value):
    """A tie of all leaves is 1 / K each, and the first one is taken, as by predict."""
    model, logits = fitted()
    tied = np.full((3, 12), value)
    for rows in (logits, tied):
        for confidence in (1e-300, 0.01, 1 / 12):
            nodes = model.predict_node(rows, min_confidence=confidence)
            assert np.array_equal(nodes, model.predict(rows))
    root = model.tree_.n_nodes - 1
    assert (model.predict_node(tied, min_confidence=1 / 12 + 1e-6) != 0).all()
    assert (model.predict_node(tied, min_confidence=1.0) == root).all()


def test_the_probability_is_that_of_predict_proba():
    """At every level: a group reaches the threshold if and only if the node is inside it."""
    model, logits = fitted(n_leaves=6)
    for confidence in (0.3, 0.6, 0.9):
        nodes = model.predict_node(logits, min_confidence=confidence)
        for level in range(1, 7):
            groups = model.tree_.cut(level)
            own = model.predict(logits, level=level)
            p = model.predict_proba(logits, level=level)[np.arange(len(own)), own]
            inside = [
                set(groups[model.tree_.members(node)]) == {group} for node, group in zip(nodes, own)
            ]
            clear = np.abs(p - confidence) > 1e-6
            assert np.array_equal(np.array(inside)[clear], (p >= confidence)[clear])


def test_confident_rows_are_told_apart():
    """What is outside is added up: 1 - 1e-15 and 1 - 1e-14 are not the same."""
    tree = MergeTree([(0, 1), (2, 3), (4, 5)])
    rows = np.log([[1, 1e-14, 1e-15, 1e-300], [1, 1e-15, 1e-14, 1e-300]])
    model = L2HClustering("precomputed").fit(rows)
    model.tree_ = tree
    assert model.predict_node(rows, min_confidence=1 - 5e-15).tolist() == [4, 6]
    assert model.predict_node(rows, min_confidence=1 - 5e-14).tolist() == [0, 0]
    assert model.predict_node(rows, min_confidence=1.0).tolist() == [6, 6]


def test_certain_rows_are_leaves_at_any_threshold():
    tree = MergeTree([(0, 1), (2, 3), (4, 5)])
    rows = np.array([[0, -inf, -inf, -inf], [0, 0, -inf, -inf], [0, -inf, -800, -inf]])
    for form in (rows, sparse_of(rows)):
        assert deepest_nodes(as_logits(form), tree, 1.0).tolist() == [0, 4, 0]


@pytest.mark.parametrize("shift", [-1e5, 1e5])
def test_a_constant_added_to_a_row_changes_nothing(shift):
    model, logits = fitted()
    logits = logits.round(3)
    assert np.array_equal(model.predict_node(logits), model.predict_node(logits + shift))


def test_temperature_is_that_of_fit():
    _, logits = fitted()
    warm = L2HClustering("precomputed", temperature=3.0).fit(logits)
    plain = L2HClustering("precomputed").fit(logits / 3)
    assert np.array_equal(warm.predict_node(logits), plain.predict_node(logits / 3))


def test_batches_and_blocks_change_nothing(monkeypatch):
    X, _ = make_blobs(200, centers=6, random_state=0)
    model = L2HClustering(GaussianMixture(6, random_state=0)).fit(X)
    expected = model.predict_node(X)
    monkeypatch.setattr("skl2h.logits.of_models.BATCH_SIZE", 11)
    with config_context(working_memory=0.0001):
        assert np.array_equal(model.predict_node(X), expected)


def test_a_deep_chain():
    """10,000 leaves: no memory of rows times nodes, no step for each node of a path."""
    n_leaves = 10_000
    tree = chain(n_leaves)
    logits = np.zeros((20, n_leaves), dtype=np.float32)
    logits[np.arange(20), np.arange(20) * 500] = np.log(n_leaves)
    nodes = deepest_nodes(as_logits(logits), tree, 0.75)
    # Half of the probability is the leaf's own, the other half is spread over all.
    at = np.maximum(np.arange(20) * 500, n_leaves // 2)
    assert np.abs(nodes - n_leaves - at).max() <= 2


def test_accuracy_never_falls_below_that_of_the_leaves():
    X, y = load_digits(return_X_y=True)
    X, X_test, y, y_test = train_test_split(X / 16, y, random_state=0)
    model = L2HClustering(LogisticRegression(C=0.01)).fit(X, y)
    flat = model.predict(X_test) == y_test
    last, deepest = flat.mean(), np.inf
    for confidence in np.linspace(0.1, 1, 10):
        nodes = model.predict_node(X_test, min_confidence=confidence)
        right = model.tree_.lca(nodes, y_test) == nodes
        assert (right >= flat).all()
        assert right.mean() >= last
        share = (nodes < 10).mean()
        assert share <= deepest
        last, deepest = right.mean(), share
    assert deepest == 0
    assert last == 1


BAD = {
    "zero": (0.0, ValueError, "min_confidence must be finite and above 0, got 0.0"),
    "negative": (-0.1, ValueError, "must be finite and above 0, got -0.1"),
    "more": (1.1, ValueError, "min_confidence must not be above 1, got 1.1"),
    "percent": (90, ValueError, "must not be above 1, got 90"),
    "nan": (np.nan, ValueError, "min_confidence must be finite and above 0, got nan"),
    "bool": (True, TypeError, "min_confidence must be a number, got True"),
    "text": ("0.9", TypeError, "min_confidence must be a number, got '0.9'"),
    "none": (None, TypeError, "min_confidence must be a number, got None"),
    "several": ([0.5, 0.9], TypeError, r"min_confidence must be a number, got \[0.5, 0.9\]"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_thresholds(name):
    confidence, error, message = BAD[name]
    model, logits = fitted()
    with pytest.raises(error, match=message):
        model.predict_node(logits, min_confidence=confidence)


@pytest.mark.parametrize("number", [1, np.float32(0.5), np.float64(0.5), np.array(0.5)])
def test_numbers_of_other_types(number):
    model, logits = fitted()
    expected = model.predict_node(logits, min_confidence=float(number))
    assert np.array_equal(model.predict_node(logits, min_confidence=number), expected)


def test_not_fitted():
    with pytest.raises(NotFittedError, match="not fitted yet"):
        L2HClustering("precomputed").predict_node(np.eye(2))


def test_bad_rows():
    model, logits = fitted()
    bad = logits.copy()
    bad[7, 3] = np.nan
    with pytest.raises(ValueError, match="Row 7 of the logits has NaN in column 3"):
        model.predict_node(bad)
    bad[7] = -inf
    for form in (bad, sparse_of(bad)):
        with pytest.raises(ValueError, match="Row 7 of the logits has nothing but -inf"):
            model.predict_node(form)


class TestNames:
    tree = MergeTree([(0, 2), (1, 3)], names=["robin", "cat", "wren"])

    def test_an_array_of_nodes_is_looked_up(self):
        names = self.tree.node_names({3: "bird"})
        assert names[np.array([[3, 1], [4, 0]])].tolist() == [["bird", "cat"], ["node 4", "robin"]]

    def test_names_are_told_as_exports_tell_them(self):
        assert self.tree.node_names().tolist() == ["robin", "cat", "wren", "node 3", "node 4"]

    @pytest.mark.parametrize(
        ("inner", "error", "message"),
        [
            ({5: "all"}, ValueError, "There is no node 5: they are 0 to 4"),
            ({-1: "all"}, ValueError, "There is no node -1"),
            ({1: "dog"}, ValueError, "Node 1 is a leaf, named 'cat': with_names changes that"),
            ({"bird": 3}, TypeError, "node must be an integer, got 'bird'"),
        ],
        ids=str,
    )
    def test_bad_names(self, inner, error, message):
        with pytest.raises(error, match=message):
            self.tree.node_names(inner)
