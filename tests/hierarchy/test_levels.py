"""Which level: suggest_levels and n_clusters="auto"."""

import pickle
from math import exp, log

import numpy as np
import pytest
from helpers.trees import chain
from scipy.sparse import csr_matrix
from sklearn import config_context
from sklearn.base import clone
from sklearn.cluster import AgglomerativeClustering, KMeans
from sklearn.datasets import load_digits, make_blobs
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, StandardScaler

from skl2h import L2HClustering, MergeTree, confusion_tree, l2h_tree, suggest_levels
from skl2h.datasets import make_hierarchical_logits


def planted(sizes, seed, *, inside=2.0, across=4.0, noise=1.0, uneven=False, vary=0.0):
    """Logits that fall by `inside` within groups of some sizes and by `across` between them.

    `uneven` draws the leaves in unequal shares, `vary` the loss of every pair of leaves.
    """
    rng = np.random.default_rng(seed)
    groups = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    n_leaves, n_rows = len(groups), 60 * len(groups)
    shares = rng.dirichlet(np.full(n_leaves, 2.0)) if uneven else np.full(n_leaves, 1 / n_leaves)
    shares = np.maximum(shares, 5 / n_rows)
    loss = np.where(groups[:, np.newaxis] == groups, inside, across)
    of_pairs = rng.normal(0, vary, loss.shape)
    loss += (of_pairs + of_pairs.T) / 2
    np.fill_diagonal(loss, 0.0)
    own = rng.choice(n_leaves, n_rows, p=shares / shares.sum())
    logits = noise * rng.standard_normal((n_rows, n_leaves)) - loss[own]
    _, first, groups = np.unique(groups, return_index=True, return_inverse=True)
    return logits, first.argsort().argsort()[groups]  # numbered as cuts are


@pytest.mark.parametrize("sizes", [(5,) * 2, (4,) * 4, (5,) * 8, (15,) * 10, (4, 4, 6, 6, 7)])
@pytest.mark.parametrize(
    "shape",
    [
        {},
        {"inside": 3.0, "across": 6.0, "vary": 0.9},
        {"inside": 6.0, "across": 12.0, "uneven": True},
        {"uneven": True, "vary": 0.5},
    ],
    ids=str,
)
def test_the_planted_level_is_found(sizes, shape):
    """In 90 % of the seeds where it is one of the tree's levels, which is in most of them."""
    separable, found = 0, 0
    for seed in range(10):
        logits, groups = planted(sizes, seed, **shape)
        tree = l2h_tree(logits)
        if np.array_equal(tree.cut(len(sizes)), groups):
            separable += 1
            found += suggest_levels(tree, logits)[0][0] == len(sizes)
    assert separable >= 5
    assert found >= 0.9 * separable


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("n_leaves", [16, 32])
def test_all_levels_of_a_planted_hierarchy_are_listed(n_leaves, seed):
    logits, _, tree = make_hierarchical_logits(60 * n_leaves, n_leaves, random_state=seed)
    rounds = [2**power for power in range(1, n_leaves.bit_length() - 1)]
    levels, _ = suggest_levels(tree, logits, n_levels=len(rounds))
    assert sorted(levels) == rounds


def two_rates(n_groups, size, rng):
    """A random tree with a level of equal groups, and one row of each leaf with two rates."""
    n_leaves = n_groups * size
    groups = rng.permutation(np.repeat(np.arange(n_groups), size))
    parts = [np.flatnonzero(groups == group).tolist() for group in range(n_groups)]
    children, roots = [], [None] * n_groups
    for group in rng.permutation(np.repeat(np.arange(n_groups), size - 1)):
        part = parts[group]
        children.append([part.pop(rng.integers(len(part))) for _ in range(2)])
        roots[group] = n_leaves + len(children) - 1
        part.append(roots[group])
    while len(roots) > 1:
        children.append([roots.pop(rng.integers(len(roots))) for _ in range(2)])
        roots.append(n_leaves + len(children) - 1)
    logits = np.where(groups[:, np.newaxis] == groups, 1.0, 0.0)
    np.fill_diagonal(logits, 5.0)
    return MergeTree(children), logits


@pytest.mark.parametrize(("n_groups", "size"), [(2, 2), (2, 3), (3, 2), (4, 4), (2, 9), (9, 2)])
@pytest.mark.parametrize("seed", range(5))
def test_of_two_rates_no_other_level_tells_more(n_groups, size, seed):
    """The data processing inequality, whatever the weights of the leaves: nothing is left to add.

    Also where the rates are nearly equal.
    """
    rng = np.random.default_rng(seed)
    tree, logits = two_rates(n_groups, size, rng)
    weights = rng.gamma(1.0, size=len(logits))
    for scale in (1.0, 0.01, 8.0):
        levels, gains = suggest_levels(tree, scale * logits, sample_weight=weights)
        assert levels.tolist() == [n_groups]
        assert gains[0] > 0


def plain_levels(tree, logits, weights):
    """Share of the mass within the groups of each level, and that if it were even, by level."""
    n_leaves = tree.n_leaves
    shares = {}
    for level in range(1, n_leaves + 1):
        groups = tree.cut(level)
        inside = even = everything = 0.0
        for row, weight in zip(logits.tolist(), weights):
            own = max(range(n_leaves), key=row.__getitem__)
            others = [c for c in range(n_leaves) if c != own]
            total = sum(exp(row[c]) for c in others)
            together = [c for c in others if groups[c] == groups[own]]
            inside += weight * sum(exp(row[c]) for c in together) / total
            even += weight * len(together) / len(others)
            everything += weight
        shares[level] = inside / everything, even / everything
    return shares


def plain_information(shares, levels):
    """What several levels tell together: of the share between each two, over the even one."""
    told, before = 0.0, (0.0, 0.0)
    for level in sorted(levels, reverse=True) + [1]:
        found, even = (now - then for now, then in zip(shares[level], before))
        told += found * log(found / even) if found > 0 else 0.0
        before = shares[level]
    return told


@pytest.mark.parametrize("seed", range(8))
def test_levels_and_gains_are_those_of_the_definition(seed):
    rng = np.random.default_rng(seed)
    logits = 2 * rng.standard_normal((30, 7))
    weights = rng.integers(0, 4, 30)
    tree = l2h_tree(logits)
    shares = plain_levels(tree, logits, weights)
    levels, gains = suggest_levels(tree, logits, sample_weight=weights, n_levels=9)
    told = [plain_information(shares, levels[:n]) for n in range(len(levels) + 1)]
    np.testing.assert_allclose(np.diff(told), gains, rtol=1e-9, atol=1e-14)
    denser = [level for level in range(2, 7) if shares[level][0] > shares[level][1]]
    assert levels[0] == max(denser, key=lambda level: plain_information(shares, [level]))


def test_fewer_levels_are_the_first_of_more():
    logits = np.random.default_rng(0).standard_normal((500, 40))
    tree = l2h_tree(logits)
    levels, gains = suggest_levels(tree, logits, n_levels=40)
    assert len(set(levels)) == len(levels) > 5
    assert levels.min() >= 2
    assert levels.max() <= 39
    assert (gains > 0).all()
    for n in (1, 2, 7):
        fewer = suggest_levels(tree, logits, n_levels=n)
        assert np.array_equal(fewer, (levels[:n], gains[:n]))


class TestInvariance:
    logits, _ = planted((3, 4, 5), 0, vary=0.5, uneven=True)
    tree = l2h_tree(logits)

    def same(self, tree, logits, **options):
        levels, gains = suggest_levels(self.tree, self.logits)
        found = suggest_levels(tree, logits, **options)
        assert np.array_equal(found[0], levels)
        np.testing.assert_allclose(found[1], gains, rtol=1e-9)

    def test_a_constant_added_to_a_row(self):
        shift = np.random.default_rng(0).normal(0, 100, (len(self.logits), 1))
        self.same(self.tree, self.logits + shift)
        self.same(self.tree, self.logits + 1e4)  # exponentials neither overflow nor vanish

    def test_order_of_rows(self):
        self.same(self.tree, np.random.default_rng(0).permutation(self.logits))

    def test_numbers_of_the_leaves(self):
        order = np.random.default_rng(0).permutation(self.logits.shape[1])
        self.same(l2h_tree(self.logits[:, order]), self.logits[:, order])

    def test_a_whole_weight_is_as_many_rows(self):
        weights = np.random.default_rng(0).integers(0, 3, len(self.logits))
        twice = np.repeat(self.logits, weights, axis=0)
        expected = suggest_levels(self.tree, twice)
        found = suggest_levels(self.tree, self.logits, sample_weight=weights)
        assert np.array_equal(found[0], expected[0])
        np.testing.assert_allclose(found[1], expected[1], rtol=1e-9)

    @pytest.mark.parametrize("scale", [1e-300, 1e305])
    def test_unit_of_the_weights(self, scale):
        self.same(self.tree, self.logits, sample_weight=np.full(len(self.logits), scale))

    def test_blocks_of_rows(self):
        with config_context(working_memory=0.001):
            self.same(self.tree, self.logits)

    def test_sparse(self):
        self.same(self.tree, csr_matrix(self.logits))

    def test_sparse_with_impossible_leaves(self):
        rng = np.random.default_rng(0)
        dense = np.where(rng.random(self.logits.shape) < 0.3, -np.inf, self.logits)
        dense[np.isneginf(dense).all(axis=1), 0] = 0.0
        rows, columns = np.nonzero(np.isfinite(dense))
        sparse = csr_matrix((dense[rows, columns], (rows, columns)), dense.shape)
        found, expected = (suggest_levels(self.tree, logits) for logits in (sparse, dense))
        assert np.array_equal(found[0], expected[0])
        np.testing.assert_allclose(found[1], expected[1], rtol=1e-9)


NOTHING = {
    "one leaf": np.zeros((5, 1)),
    "two leaves": 2 * np.eye(2),
    "no rate but one": 2 * np.eye(6),
    "certain rows": np.where(np.eye(6) > 0, 0.0, -np.inf),
    "ties": np.zeros((4, 6)),
}


@pytest.mark.filterwarnings("ignore:In float64, no row gives any probability")
@pytest.mark.parametrize("name", NOTHING)
def test_where_nothing_tells_all_leaves_stay_apart(name):
    logits = NOTHING[name]
    levels, gains = suggest_levels(l2h_tree(logits), logits)
    assert levels.tolist() == [logits.shape[1]]
    assert gains.tolist() == [0.0]
    model = L2HClustering("precomputed", n_clusters="auto").fit(logits)
    assert model.n_clusters_ == logits.shape[1]


def test_noise_gains_next_to_nothing():
    """Beside the 0.7 nats of CLINC150, say."""
    for seed in range(5):
        logits = np.random.default_rng(seed).standard_normal((2000, 20))
        assert suggest_levels(l2h_tree(logits), logits)[1].max() < 0.01


def test_leaves_without_rows():
    logits, groups = planted((4, 4, 4), 0)
    logits = np.column_stack([logits, np.full(len(logits), -9.0)])
    tree = l2h_tree(logits)
    levels, _ = suggest_levels(tree, logits)
    assert levels[0] == 3
    assert np.array_equal(tree.cut(3)[:12], groups)


def test_a_chain_of_many_leaves():
    n_leaves = 3000
    tree = chain(n_leaves)
    first = np.arange(n_leaves) < 1000
    rows = np.arange(0, n_leaves, 100)
    logits = np.where(first[rows, np.newaxis] == first, 4.0, 0.0)
    logits[np.arange(len(rows)), rows] = 20.0
    assert suggest_levels(tree, logits)[0][0] == 2001


ERRORS = {
    "no logits": (lambda tree: (tree,), TypeError, "give the logits as well"),
    "other leaves": (
        lambda tree: (tree, 2 * np.eye(5)),
        ValueError,
        "5 columns, but the tree has 4",
    ),
    "NaN": (lambda tree: (tree, np.full((2, 4), np.nan)), ValueError, "Row 0 .* has NaN in column"),
    "no tree": (lambda tree: ("tree",), TypeError, "A MergeTree or a fitted L2HClustering is need"),
    "not fitted": (lambda tree: (L2HClustering("precomputed"),), NotFittedError, "not fitted yet"),
    "other model": (
        lambda tree: (AgglomerativeClustering().fit(2 * np.eye(3)), 2 * np.eye(3)),
        TypeError,
        "A MergeTree or a fitted L2HClustering is needed, got AgglomerativeClustering",
    ),
    "all leaves": (
        lambda tree: (L2HClustering("precomputed").fit(2 * np.eye(4)),),
        TypeError,
        'was not fitted with n_clusters="auto", so it has not kept .* give X',
    ),
    "other columns": (
        lambda tree: (L2HClustering("precomputed").fit(2 * np.eye(4)), np.eye(3)),
        ValueError,
        "X has 3 features, but L2HClustering is expecting 4",
    ),
}


@pytest.mark.parametrize("name", ERRORS)
def test_bad_sources(name):
    make, error, message = ERRORS[name]
    arguments = make(MergeTree([(0, 1), (2, 3), (4, 5)]))
    with pytest.raises(error, match=message):
        suggest_levels(*arguments)


def test_bad_n_levels():
    tree = MergeTree([(0, 1)])
    with pytest.raises(ValueError, match="n_levels must be at least 1, got 0"):
        suggest_levels(tree, np.eye(2), n_levels=0)
    with pytest.raises(TypeError, match="integer"):
        suggest_levels(tree, np.eye(2), n_levels=2.5)


@pytest.mark.parametrize("seed", range(5))
def test_levels_of_a_confusion_matrix_are_those_of_rows_that_go_where_its_lines_say(seed):
    """One row for each class: its softmax outside of its class is the line of the matrix."""
    rng = np.random.default_rng(seed)
    matrix = rng.poisson(np.where(np.arange(12) // 4 == np.arange(12)[:, np.newaxis] // 4, 8, 1))
    matrix[seed] = 0
    np.fill_diagonal(matrix, 100)
    with np.errstate(divide="ignore"):
        logits = np.log(matrix.astype(float))
    tree = confusion_tree(matrix)
    levels, gains = suggest_levels(tree, matrix, input="confusion")
    expected = suggest_levels(tree, logits)
    assert levels.tolist() == expected[0].tolist()
    np.testing.assert_allclose(gains, expected[1], rtol=1e-9)
    assert levels[0] == 3
    scaled = matrix * rng.uniform(1, 9, size=(12, 1))
    assert suggest_levels(tree, scaled, input="confusion")[0].tolist() == levels.tolist()


CONFUSION = np.array([[9, 2, 0, 0], [3, 9, 0, 1], [0, 1, 9, 3], [0, 0, 4, 9]])
BAD_CONFUSION = {
    "other classes": (lambda: (CONFUSION[:3, :3], {}), ValueError, "has 3 classes, .* 4 leaves"),
    "not square": (lambda: (CONFUSION[:3], {}), ValueError, "matrix must be square"),
    "weights": (
        lambda: (CONFUSION, {"sample_weight": np.ones(4)}),
        TypeError,
        "sample_weight weighs rows of logits: a confusion matrix has none",
    ),
    "another order": (
        lambda: (pytest.importorskip("pandas").DataFrame(
            CONFUSION, index=list("badc"), columns=list("badc")), {}),
        ValueError,
        "in another order",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_CONFUSION)
def test_bad_confusion_matrices(name):
    make, error, message = BAD_CONFUSION[name]
    matrix, options = make()
    with pytest.raises(error, match=message):
        suggest_levels(
            confusion_tree(CONFUSION, names="abcd"), matrix, input="confusion", **options
        )


def test_columns_in_another_order_are_told():
    pandas = pytest.importorskip("pandas")
    logits = pandas.DataFrame(np.random.default_rng(0).normal(size=(50, 4)), columns=list("abcd"))
    tree = l2h_tree(logits)
    expected = suggest_levels(tree, logits)
    for same in (logits.to_numpy(), logits.rename(columns=str.upper)):
        assert np.array_equal(suggest_levels(tree, same), expected)
    with pytest.raises(ValueError, match="another order: column 0 is 'd', and leaf 0 'a'"):
        suggest_levels(tree, logits[list("dbca")])


def test_weights_of_other_rows():
    tree = MergeTree([(0, 1)])
    with pytest.raises(ValueError, match=r"sample_weight must have the shape \(2,\)"):
        suggest_levels(tree, 2 * np.eye(2), sample_weight=[1])


class TestAuto:
    """n_clusters="auto" of the estimator."""

    logits, groups = planted((5, 5, 5, 5), 0, uneven=True)

    def test_takes_the_first_suggestion(self):
        model = L2HClustering("precomputed", n_clusters="auto").fit(self.logits)
        found, expected = suggest_levels(model), suggest_levels(model.tree_, self.logits)
        assert np.array_equal(found, expected)
        assert model.n_clusters_ == found[0][0] == 4
        assert type(model.n_clusters_) is int
        assert np.array_equal(model.labels_, self.groups[model.leaf_labels_])
        assert np.array_equal(model.predict(self.logits), model.labels_)
        assert model.predict_proba(self.logits).shape == (len(self.logits), 4)

    def test_weights_are_those_of_fit(self):
        weights = np.random.default_rng(0).gamma(1.0, size=len(self.logits))
        model = L2HClustering("precomputed", n_clusters="auto")
        model.fit(self.logits, sample_weight=weights)
        expected = suggest_levels(model.tree_, self.logits, sample_weight=weights)
        assert np.array_equal(suggest_levels(model), expected)

    def test_temperature_is_that_of_fit(self):
        model = L2HClustering("precomputed", n_clusters="auto", temperature=3.0).fit(self.logits)
        expected = suggest_levels(model.tree_, self.logits / 3)
        np.testing.assert_allclose(suggest_levels(model), expected)

    def test_is_a_parameter_like_any(self):
        model = L2HClustering(KMeans(3), n_clusters="auto")
        assert clone(model).get_params()["n_clusters"] == "auto"
        assert "n_clusters='auto'" in repr(model)

    def test_a_refit_forgets(self):
        model = L2HClustering("precomputed", n_clusters="auto").fit(self.logits)
        assert suggest_levels(pickle.loads(pickle.dumps(model)))[0][0] == 4
        model.set_params(n_clusters=2)
        assert suggest_levels(model)[0][0] == 4  # parameters wait for the next fit
        model.fit(self.logits)
        assert model.n_clusters_ == 2
        with pytest.raises(TypeError, match="was not fitted with"):
            suggest_levels(model)
        assert suggest_levels(model, self.logits)[0][0] == 4

    @pytest.mark.parametrize("weighted", [False, True])
    def test_of_rows_given_it_is_that_of_the_rows_of_fit(self, weighted):
        """A model fitted with any n_clusters, alone or in a Pipeline, and the rows once more."""
        X, _ = make_blobs(300, centers=6, random_state=0)
        weights = np.random.default_rng(0).gamma(1.0, size=len(X)) if weighted else None
        inner = FrozenEstimator(KMeans(6, n_init=1, random_state=0).fit(X))
        auto = L2HClustering(inner, n_clusters="auto").fit(X, sample_weight=weights)
        model = make_pipeline(FunctionTransformer(), L2HClustering(inner, n_clusters=3))
        model.fit(X, l2hclustering__sample_weight=weights)
        for source in (auto, model, model[-1]):
            found = suggest_levels(source, X, sample_weight=weights)
            np.testing.assert_allclose(found, suggest_levels(auto), rtol=1e-12)

    def test_weights_without_rows_are_refused(self):
        model = L2HClustering("precomputed", n_clusters="auto").fit(self.logits)
        with pytest.raises(TypeError, match="weighs rows, of which there are none: give X"):
            suggest_levels(model, sample_weight=np.ones(len(self.logits)))

    @pytest.mark.parametrize(
        "inner",
        [
            KMeans(8, n_init=1, random_state=0),
            GaussianMixture(8, random_state=0),
            make_pipeline(StandardScaler(), GaussianMixture(8, random_state=0)),
        ],
        ids=lambda inner: type(inner).__name__,
    )
    def test_blobs_of_blobs(self, inner):
        """Two far groups of four blobs each."""
        near = np.array([[0, 0], [0, 4], [4, 0], [4, 4]])
        X, _ = make_blobs(800, centers=np.concatenate([near, near + 14]), random_state=0)
        model = L2HClustering(inner, n_clusters="auto", temperature=20.0).fit(X)
        assert model.n_clusters_ == 2
        frozen = FrozenEstimator(model.estimator_)
        again = L2HClustering(frozen, n_clusters="auto", temperature=20.0).fit(X)
        assert np.array_equal(again.labels_, model.labels_)

    def test_in_a_search_and_a_pipeline(self):
        X, _ = make_blobs(200, centers=6, random_state=0)
        model = make_pipeline(StandardScaler(), L2HClustering(GaussianMixture(6, random_state=0)))
        grid = {"l2hclustering__n_clusters": ["auto", 2, None]}
        search = GridSearchCV(model, grid, cv=3).fit(X)
        model.set_params(l2hclustering__n_clusters="auto").fit(X)
        assert suggest_levels(model)[0][0] == model[-1].n_clusters_
        assert np.isfinite(search.cv_results_["mean_test_score"]).all()

    @pytest.mark.parametrize("wrong", ["Auto", "all", ""])
    def test_other_words_are_refused_by_name(self, wrong):
        model = L2HClustering("precomputed", n_clusters=wrong)
        with pytest.raises(ValueError, match=f"integer, None or 'auto', got '{wrong}'"):
            model.fit(self.logits)


class TestRealData:
    """What it finds is reported, not what one might wish for."""

    def test_clinc150(self, real_data):
        logits = real_data("clinc150_logits.npz")["logits"]
        levels, _ = suggest_levels(l2h_tree(logits), logits, n_levels=3)
        assert levels.tolist() == [37, 10, 92]

    def test_cifar10(self, real_data):
        logits = np.log(real_data("cifar10_probabilities.npz")["probabilities"].astype(float))
        levels, _ = suggest_levels(l2h_tree(logits), logits, n_levels=2)
        assert levels.tolist() == [5, 2]

    def test_digits(self):
        X, y = load_digits(return_X_y=True)
        classifier = make_pipeline(MinMaxScaler(), LogisticRegression(C=0.01))
        model = L2HClustering(classifier, n_clusters="auto").fit(X, y)
        assert model.n_clusters_ == 5
