"""Purity of trees: the definition by pairs, laws, chance and the best tree."""

import math
from fractions import Fraction
from itertools import permutations

import numpy as np
import pytest
from helpers.orders import TREES, for_every
from helpers.plain_metrics import plain_purity
from helpers.trees import chain, random_merges
from scipy.sparse import csr_matrix, vstack

from skl2h import L2HClustering, MergeTree
from skl2h.metrics import dendrogram_purity, superclass_purity
from skl2h.metrics.purity_bounds import (
    _best_known,
    best_across,
    expected_across,
    purity_across,
)

all_trees = for_every(TREES)
seeds = pytest.mark.parametrize("seed", range(40))


def rows_of(rng, n_leaves, n_classes, n_rows=30):
    """Leaves and classes of rows that go together, some leaves and classes without rows."""
    leaf_labels = rng.integers(n_leaves, size=n_rows)
    other = rng.random(n_rows) < rng.random()
    return leaf_labels, np.where(other, rng.integers(n_classes, size=n_rows), leaf_labels)


def counts_of(seed, n_leaves, n_classes):
    """Rows of classes in leaves of very different sizes, where each leaf has its own class."""
    rng = np.random.default_rng(seed)
    counts = rng.poisson(rng.gamma(0.3, 4.0, size=(n_leaves, n_classes)))
    counts[np.arange(n_leaves), np.arange(n_leaves) % n_classes] += rng.poisson(30, n_leaves)
    return csr_matrix(counts)


def mixed_counts(seed, n_leaves):
    """Leaves in which no class stands out."""
    return csr_matrix(np.random.default_rng(seed).integers(1, 9, size=(n_leaves, 4)))


def rows_of_counts(counts):
    entries = counts.tocoo()
    return np.repeat(entries.row, entries.data), np.repeat(entries.col, entries.data)


@all_trees
def test_purity_is_its_definition_on_every_tree(merges):
    rng = np.random.default_rng(TREES.index(merges))
    leaf_labels, y = rows_of(rng, 5, 3, 12)
    expected = plain_purity(merges, leaf_labels.tolist(), y.tolist())
    assert dendrogram_purity(MergeTree(merges), leaf_labels, y) == pytest.approx(float(expected))


@seeds
def test_purity_is_its_definition(seed):
    rng = np.random.default_rng(seed)
    n_leaves = int(rng.integers(1, 12))
    merges = random_merges(n_leaves, rng)
    leaf_labels, y = rows_of(rng, n_leaves, int(rng.integers(1, 9)), int(rng.integers(2, 40)))
    expected = plain_purity(merges, leaf_labels.tolist(), y.tolist())
    purity = dendrogram_purity(MergeTree(merges), leaf_labels, y)
    if expected is None:
        assert math.isnan(purity)
    else:
        assert purity == pytest.approx(float(expected), abs=1e-14)
        assert 0 < purity <= 1


@seeds
def test_superclass_purity_is_its_definition(seed):
    rng = np.random.default_rng(seed)
    merges = random_merges(9, rng)
    classes = rng.integers(4, size=9)
    expected = plain_purity(merges, list(range(9)), classes.tolist())
    assert superclass_purity(MergeTree(merges), classes) == pytest.approx(float(expected))


@pytest.mark.parametrize("adjusted", [False, True])
@pytest.mark.parametrize("seed", range(8))
class TestInvariance:
    """Nothing but the sets of leaves below the nodes and the partition into classes counts."""

    def purity(self, seed, adjusted, *, change=None):
        rng = np.random.default_rng(seed)
        merges = np.array(random_merges(8, rng))
        leaf_labels, y = rows_of(rng, 8, 4)
        if change is not None:
            merges, leaf_labels, y = change(rng, merges, leaf_labels, y)
        return dendrogram_purity(MergeTree(merges), leaf_labels, y, adjusted=adjusted)

    def check(self, seed, adjusted, change):
        changed = self.purity(seed, adjusted, change=change)
        assert changed == pytest.approx(self.purity(seed, adjusted), abs=1e-12)

    def test_to_the_order_of_rows(self, seed, adjusted):
        def change(rng, merges, leaf_labels, y):
            order = rng.permutation(len(y))
            return merges, leaf_labels[order], y[order]

        self.check(seed, adjusted, change)

    def test_to_the_names_of_classes(self, seed, adjusted):
        def change(rng, merges, leaf_labels, y):
            return merges, leaf_labels, np.array(list("zyxwvutsrq"))[y]

        self.check(seed, adjusted, change)

    def test_to_the_sides_of_merges(self, seed, adjusted):
        def change(rng, merges, leaf_labels, y):
            return np.take_along_axis(merges, rng.permuted([[0, 1]] * 7, axis=1), 1), leaf_labels, y

        self.check(seed, adjusted, change)

    def test_to_the_numbers_of_leaves(self, seed, adjusted):
        def change(rng, merges, leaf_labels, y):
            number = np.r_[rng.permutation(8), np.arange(8, 15)]
            return number[merges], number[leaf_labels], y

        self.check(seed, adjusted, change)

    def test_to_a_leaf_without_rows(self, seed, adjusted):
        def change(rng, merges, leaf_labels, y):
            merges = np.where(merges >= 8, merges + 1, merges)  # leaf 8 is new, and is joined first
            merges = np.where(merges == 3, 9, np.where(merges > 8, merges + 1, merges))
            return np.vstack([[3, 8], merges]), leaf_labels, y

        self.check(seed, adjusted, change)


class TestChance:
    @pytest.mark.parametrize("seed", range(2))
    def test_it_is_the_mean_over_all_orders_of_merging(self, seed):
        """Exactly: all 180 orders of five leaves, in fractions."""
        rng = np.random.default_rng(seed)
        leaf_labels, y = rows_of(rng, 5, 3, 9)
        leaf_labels[:5] = range(5)
        y[:2] = y[2]
        every = [plain_purity(merges, leaf_labels.tolist(), y.tolist()) for merges in TREES]
        assert all(isinstance(purity, Fraction) for purity in every)
        mean, best = float(sum(every) / len(every)), float(max(every))
        for merges, plain in zip(TREES[::6], every[::6]):
            adjusted = dendrogram_purity(MergeTree(merges), leaf_labels, y, adjusted=True)
            if max(every) == min(every):
                assert adjusted == 1
            else:
                expected = (float(plain) - mean) / (best - mean)
                assert adjusted == pytest.approx(expected, abs=1e-9)

    @pytest.mark.parametrize(("n_leaves", "n_trees"), [(4, 800), (20, 300), (60, 200)])
    @pytest.mark.parametrize("spread", ["even", "uneven"])
    def test_adjusted_is_0_over_many_random_trees(self, n_leaves, n_trees, spread):
        counts = counts_of(n_leaves, n_leaves, max(3, n_leaves // 3))
        if spread == "uneven":
            rng = np.random.default_rng(0)
            counts = csr_matrix(counts.multiply(np.exp(rng.normal(0, 2, (n_leaves, 1)))).ceil())
        rng = np.random.default_rng(1)
        drawn = [
            purity_across(MergeTree(random_merges(n_leaves, rng)), counts) for _ in range(n_trees)
        ]
        chance, best = expected_across(counts), best_across(counts)
        adjusted = (np.array(drawn) - chance) / (best - chance)
        noise = adjusted.std() / np.sqrt(n_trees)
        assert abs(adjusted.mean()) < 4 * noise
        assert noise < 0.03  # the test could fail
        assert adjusted.max() <= 1 + 1e-12

    @pytest.mark.parametrize("sizes", [[2], [3, 1], [10, 10, 10], [500, 3, 1], [40_000, 60_000]])
    def test_it_is_the_closed_form_of_leaves_of_one_row(self, sizes):
        """Below a merge of m of the K leaves, the other m - 2 are random, as is their share."""
        n_leaves = sum(sizes)
        m = np.arange(2, n_leaves + 1)
        pairs_of_merges = 2 * n_leaves / (3 * m * (m - 1.0))
        pairs_of_merges[-1] = (n_leaves + 1) / (3 * (n_leaves - 1))
        expected = 0.0
        for size in sizes:
            others = (size - 2) * (m - 2) / max(n_leaves - 2, 1)
            pairs = size * (size - 1) / 2 * m * (m - 1) / (n_leaves * (n_leaves - 1))
            expected += (pairs_of_merges * pairs * (2 + others) / m).sum()
        y = np.repeat(np.arange(len(sizes)), sizes)
        counts = csr_matrix((np.ones(n_leaves), (np.arange(n_leaves), y)))
        assert expected_across(counts) == pytest.approx(expected, rel=1e-10)

    def test_nothing_is_expected_where_no_class_is_in_two_leaves(self):
        assert expected_across(csr_matrix(np.diag([3, 4, 5]))) == 0
        assert expected_across(csr_matrix([[3, 4, 5]])) == 0

    def test_leaves_of_very_different_sizes(self):
        """Three leaves: whichever two come first, each with chance 1/3."""
        counts = np.array([[10**7, 1, 2], [3, 10**4, 1], [1, 1, 1]])
        trees = [
            MergeTree(merges) for merges in ([(0, 1), (2, 3)], [(0, 2), (1, 3)], [(1, 2), (0, 3)])
        ]
        mean = np.mean([purity_across(tree, csr_matrix(counts)) for tree in trees])
        assert expected_across(csr_matrix(counts)) == pytest.approx(mean, rel=1e-9)


class TestBest:
    @pytest.mark.parametrize("seed", range(6))
    def test_no_tree_of_few_leaves_is_better(self, seed):
        counts = counts_of(seed, 5, 4)
        every = [purity_across(MergeTree(merges), counts) for merges in TREES]
        assert best_across(counts) == pytest.approx(max(every), rel=1e-12)

    @pytest.mark.parametrize("n_leaves", [5, 12, 13, 60])
    def test_pure_leaves_and_classes_that_are_clades_give_1(self, n_leaves):
        """Whatever the trees within the classes and above them."""
        for seed in range(3):
            rng = np.random.default_rng(seed)
            class_of_leaf = np.sort(np.r_[0, 0, 1, 1, rng.integers(5, size=n_leaves - 4)])
            merges, tops = [], []
            for c in np.unique(class_of_leaf):
                leaves = np.flatnonzero(class_of_leaf == c)
                tops.append(leaves[0])
                for leaf in leaves[1:]:
                    merges.append((tops[-1], leaf))
                    tops[-1] = n_leaves + len(merges) - 1
            while len(tops) > 1:
                merges.append(tuple(tops.pop(rng.integers(len(tops))) for _ in range(2)))
                tops.append(n_leaves + len(merges) - 1)
            tree = MergeTree(merges)
            leaf_labels = np.r_[np.arange(n_leaves), rng.integers(n_leaves, size=100)]
            y = class_of_leaf[leaf_labels]
            assert dendrogram_purity(tree, leaf_labels, y) == 1
            assert dendrogram_purity(tree, leaf_labels, y, adjusted=True) == 1
            assert superclass_purity(tree, class_of_leaf) == 1
            assert superclass_purity(tree, class_of_leaf, adjusted=True) == 1

    @pytest.mark.parametrize("n_leaves", [9, 12])
    @pytest.mark.parametrize("seed", range(3))
    def test_the_tree_built_from_the_classes_is_near_the_best(self, seed, n_leaves):
        """It gains 9/10 of the possible gain over chance, and 4/5 where no class stands out."""
        for least, counts in (
            (0.9, counts_of(seed, n_leaves, 9)),
            (0.8, mixed_counts(seed, n_leaves)),
        ):
            best, chance = best_across(counts), expected_across(counts)
            assert least < (_best_known(counts) - chance) / (best - chance) < 1 + 1e-12

    @pytest.mark.parametrize("seed", range(2))
    def test_the_tree_built_from_the_classes_is_hard_to_beat(self, seed):
        """The best of many random trees is far below it."""
        counts = counts_of(seed, 14, 9)
        best, chance = best_across(counts), expected_across(counts)
        rng = np.random.default_rng(seed)
        drawn = max(purity_across(MergeTree(random_merges(14, rng)), counts) for _ in range(300))
        assert (drawn - chance) / (best - chance) < 1

    @pytest.mark.parametrize("n_leaves", [7, 30])
    @pytest.mark.parametrize("seed", range(3))
    def test_adjusted_is_at_most_1_and_ranks_as_plain_purity(self, seed, n_leaves):
        rng = np.random.default_rng(seed)
        leaf_labels, y = rows_of(rng, n_leaves, 6, 5 * n_leaves)
        trees = [MergeTree(random_merges(n_leaves, rng)) for _ in range(10)]
        plain = [dendrogram_purity(tree, leaf_labels, y) for tree in trees]
        adjusted = [dendrogram_purity(tree, leaf_labels, y, adjusted=True) for tree in trees]
        assert max(adjusted) <= 1
        assert np.array_equal(np.argsort(plain), np.argsort(adjusted))


def test_a_leaf_is_a_tree():
    """With one leaf, the mean share of the class of a pair."""
    y = [0, 0, 0, 1, 1]
    assert dendrogram_purity(MergeTree([]), [0] * 5, y) == pytest.approx((3 * 0.6 + 0.4) / 4)
    assert dendrogram_purity(MergeTree([]), [0] * 5, y, adjusted=True) == 1
    assert math.isnan(superclass_purity(MergeTree([]), ["a"]))


@pytest.mark.parametrize("adjusted", [False, True])
def test_defined_values(adjusted):
    tree = MergeTree([(0, 1), (2, 3)])
    assert dendrogram_purity(tree, [0, 1, 2, 2], [7, 7, 7, 7], adjusted=adjusted) == 1
    assert superclass_purity(tree, [7, 7, 7], adjusted=adjusted) == 1
    assert math.isnan(dendrogram_purity(tree, [0, 1, 2, 2], [0, 1, 2, 3], adjusted=adjusted))
    assert math.isnan(superclass_purity(tree, list("abc"), adjusted=adjusted))


def test_an_estimator_is_its_tree():
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(60, 6))
    y = rng.integers(3, size=60)
    model = L2HClustering("precomputed").fit(logits)
    expected = dendrogram_purity(model.tree_, model.leaf_labels_, y)
    assert dendrogram_purity(model, model.leaf_labels_, y) == expected
    assert superclass_purity(model, y[:6]) == superclass_purity(model.tree_, y[:6])


@pytest.mark.parametrize("seed", range(5))
def test_the_tree_over_pure_leaves_of_different_classes_does_not_matter(seed):
    """All pairs are within a leaf."""
    rng = np.random.default_rng(seed)
    leaf_labels = np.repeat(np.arange(6), 5)
    for merges in (random_merges(6, rng) for _ in range(5)):
        for adjusted in (False, True):
            tree = MergeTree(merges)
            assert dendrogram_purity(tree, leaf_labels, leaf_labels, adjusted=adjusted) == 1


@pytest.mark.parametrize("adjusted", [False, True])
def test_a_chain_of_10_000_leaves_and_100_000_rows(adjusted):
    """Nothing is quadratic in rows or leaves, and no array has the size of nodes times classes."""
    rng = np.random.default_rng(0)
    leaf_labels, y = rng.integers(10_000, size=100_000), rng.integers(100, size=100_000)
    purity = dendrogram_purity(chain(10_000), leaf_labels, y, adjusted=adjusted)
    assert purity == pytest.approx(0.0 if adjusted else 0.0101, abs=0.02 if adjusted else 1e-3)


def test_every_row_in_its_own_leaf():
    """Then it is the purity over leaves, as other libraries have it."""
    rng = np.random.default_rng(0)
    y = rng.integers(3, size=40)
    tree = MergeTree(random_merges(40, rng))
    assert dendrogram_purity(tree, np.arange(40), y) == superclass_purity(tree, y)


LABELS_OF_ROWS = [
    ([0, 1], [0, 1, 1], "leaf_labels and y must be of the same rows, got 2 and 3 labels"),
    ([0, 1, 3], [0, 1, 1], r"leaf_labels\[2\] is 3, but the leaves of the tree are 0 to 2"),
    ([0, -1, 2], [0, 1, 1], r"leaf_labels\[1\] is -1"),
    ([0.0, 1.0, 2.0], [0, 1, 1], "leaf_labels must be integers, 0 to 2, got float64"),
    (["a", "b", "c"], [0, 1, 1], "leaf_labels must be integers"),
    ([[0, 1, 2]], [0, 1, 1], r"leaf_labels must be one leaf for each row, got the shape \(1, 3\)"),
    ([], [], "leaf_labels must be one leaf for each row"),
    ([0, 1, 2], [0.0, np.nan, 1.0], "y holds nan at 1: leave out what has no label"),
    ([0, 1, 2], [[0], [1], [1]], r"y must be one label each, got the shape \(3, 1\)"),
]


@pytest.mark.parametrize(("leaf_labels", "y", "message"), LABELS_OF_ROWS)
def test_bad_labels_of_rows_are_told(leaf_labels, y, message):
    with pytest.raises(ValueError, match=message):
        dendrogram_purity(MergeTree([(0, 1), (2, 3)]), leaf_labels, y)


def test_other_bad_input_is_told():
    tree = MergeTree([(0, 1), (2, 3)])
    with pytest.raises(TypeError, match="y must hold labels of one type"):
        dendrogram_purity(tree, [0, 1, 2], ["a", 1, "b"])
    with pytest.raises(ValueError, match="y holds None at 0"):
        dendrogram_purity(MergeTree([]), [0], [None])
    with pytest.raises(ValueError, match="one for each of the 3 leaves, got 2"):
        superclass_purity(tree, [0, 1])
    with pytest.raises(TypeError, match="A MergeTree or a fitted estimator is needed"):
        dendrogram_purity([[0, 1]], [0, 1], [0, 1])


@pytest.mark.parametrize("make", [counts_of, lambda seed, *_: mixed_counts(seed, 25)])
@pytest.mark.parametrize("seed", range(4))
def test_the_best_known_knows_no_order_of_leaves_or_classes(seed, make):
    """If no two are alike; equal leaves may be exchanged."""
    counts = make(seed, 25, 9)
    counts = vstack([counts, counts[:5]]).tocsr()
    rng = np.random.default_rng(seed)
    best = _best_known(counts)
    for _ in range(5):
        changed = counts[rng.permutation(counts.shape[0])][:, rng.permutation(counts.shape[1])]
        assert _best_known(changed) == pytest.approx(best, rel=1e-12)


def test_twins_are_joined_in_the_same_order_whatever_their_classes_are_called():
    """There are two rows in each leaf, so most leaves equal another leaf."""
    merges = [(7, 5), (11, 13), (4, 14), (12, 9), (0, 16), (6, 1), (17, 10), (15, 8), (19, 2)]
    tree = MergeTree([*merges, (21, 20), (22, 3), (23, 18)])
    leaf_labels = np.repeat(np.arange(13), 2)
    y = np.array([0, 0, 2, 2, 0, 2, 0, 2, 1, 1, 1, 0, 1, 0, 1, 1, 0, 1, 0, 1, 2, 0, 1, 1, 0, 1])
    expected = dendrogram_purity(tree, leaf_labels, y, adjusted=True)
    for names in permutations("abc"):
        found = dendrogram_purity(tree, leaf_labels, np.array(names)[y], adjusted=True)
        assert found == pytest.approx(expected, abs=1e-12)


def test_chance_and_best_know_no_order_of_leaves_or_classes():
    counts = counts_of(3, 4, 4)
    chance, best = expected_across(counts), best_across(counts)
    for order in permutations(range(4)):
        assert expected_across(counts[list(order)]) == pytest.approx(chance, rel=1e-12)
        assert best_across(counts[:, list(order)]) == pytest.approx(best, rel=1e-12)
