"""Metrics of leaves, mistakes and confusions: definitions, laws, bad input."""

import math

import numpy as np
import pytest
from helpers.orders import TREES, for_every
from helpers.plain_metrics import (
    clades,
    plain_accuracy,
    plain_dasgupta,
    plain_mistake_distance,
)
from helpers.trees import balanced, chain, random_merges
from scipy.sparse import coo_matrix, csr_matrix
from sklearn.metrics.cluster import contingency_matrix

from skl2h import L2HClustering, MergeTree, metrics, profile_matrix
from skl2h.export import export_newick
from skl2h.metrics import (
    clustering_accuracy,
    dasgupta_cost,
    leaf_purity,
    mistake_distance,
    reassignment_within,
)
from skl2h.tree.places import depths, longest_path

seeds = pytest.mark.parametrize("seed", range(30))
FLAT = [clustering_accuracy, leaf_purity]
COSTS = [dasgupta_cost, reassignment_within]


def labels(seed):
    """Classes and leaves of rows, often in different numbers, and with gaps in their numbering."""
    rng = np.random.default_rng(seed)
    n_rows = int(rng.integers(1, 40))
    y = rng.integers(rng.integers(1, 6), size=n_rows)
    leaves = np.where(rng.random(n_rows) < 0.5, y, rng.integers(rng.integers(1, 6), size=n_rows))
    return y, 2 * leaves


class TestFlat:
    @seeds
    def test_accuracy_is_that_of_the_best_matching(self, seed):
        y, leaves = labels(seed)
        expected = plain_accuracy(y.tolist(), leaves.tolist())
        assert clustering_accuracy(y, leaves) == pytest.approx(expected)

    @seeds
    def test_purity_is_that_of_the_largest_class(self, seed):
        y, leaves = labels(seed)
        right = sum(np.bincount(y[leaves == leaf]).max() for leaf in set(leaves))
        assert leaf_purity(leaves, y) == pytest.approx(right / len(y))

    @seeds
    def test_accuracy_is_symmetric(self, seed):
        y, leaves = labels(seed)
        assert clustering_accuracy(y, leaves) == clustering_accuracy(leaves, y)

    @seeds
    def test_ranges(self, seed):
        """Accuracy is at most purity, and at least what the largest leaf gives."""
        y, leaves = labels(seed)
        accuracy, purity = clustering_accuracy(y, leaves), leaf_purity(leaves, y)
        assert 0 < contingency_matrix(y, leaves).max() / len(y) <= accuracy <= purity <= 1
        assert clustering_accuracy(y, y) == leaf_purity(y, y) == 1

    @seeds
    def test_purity_never_falls_when_leaves_are_split(self, seed):
        y, leaves = labels(seed)
        halves = 1000 * leaves + np.random.default_rng(seed).integers(2, size=len(y))
        assert leaf_purity(halves, y) >= leaf_purity(leaves, y)

    @seeds
    @pytest.mark.parametrize("metric", FLAT, ids=lambda metric: metric.__name__)
    def test_names_and_order_do_not_count(self, seed, metric):
        y, leaves = labels(seed)
        order = np.random.default_rng(seed).permutation(len(y))
        words = np.array([f"class {9 - value}" for value in y])
        expected = metric(y, leaves)
        assert metric(y[order], leaves[order]) == expected
        assert metric(words, leaves) == metric(words.astype(object), leaves.tolist()) == expected

    def test_more_leaves_than_classes(self):
        """Leaves beyond the number of classes lower accuracy, but not purity."""
        y, leaves = [0] * 6 + [1] * 6, [0] * 3 + [1] * 3 + [2] * 6
        assert clustering_accuracy(y, leaves) == 0.75
        assert leaf_purity(leaves, y) == 1

    def test_one_class_or_one_leaf(self):
        assert clustering_accuracy([0] * 4, [0, 1, 1, 1]) == 0.75
        assert clustering_accuracy([0, 1, 1, 1], [0] * 4) == 0.75
        assert leaf_purity([0, 1, 1, 1], [0] * 4) == 1
        assert leaf_purity([0] * 4, [0, 1, 1, 1]) == 0.75

    @pytest.mark.parametrize("metric", FLAT, ids=lambda metric: metric.__name__)
    def test_bad_labels_are_told(self, metric):
        with pytest.raises(ValueError, match="must be of the same rows, got"):
            metric([0, 1], [0, 1, 2])
        with pytest.raises(ValueError, match="is empty"):
            metric([], [])
        with pytest.raises(ValueError, match=r"one label each, got the shape \(1, 2\)"):
            metric([[0, 1]], [0, 1])
        for missing in ([0.0, np.nan], ["a", None], ["a", np.nan], np.array([1, None]), [None] * 2):
            with pytest.raises(ValueError, match=r"(y|leaf_labels) holds (None|nan) at \d: leave"):
                metric(missing, [0, 1])
        with pytest.raises(TypeError, match="must hold labels of one type"):
            metric(["a", 1], [0, 1])

    @pytest.mark.parametrize("dtype", ["string", "category", "Int64", object])
    def test_missing_labels_of_pandas_are_told(self, dtype):
        pandas = pytest.importorskip("pandas")
        labels = pandas.Series([1, None, 2], dtype="Int64").astype(dtype)
        with pytest.raises(ValueError, match=r"y holds (nan|<NA>) at 1: leave out"):
            clustering_accuracy(labels, [0, 1, 1])


class TestMistakeDistance:
    @seeds
    def test_it_is_its_definition(self, seed):
        """Classes that mostly stay in their leaf, so that the best matching is plain."""
        rng = np.random.default_rng(seed)
        n_leaves = int(rng.integers(3, 9))
        merges = random_merges(n_leaves, rng)
        class_of_leaf = rng.permutation(n_leaves + 2)[:n_leaves]  # the other two have no leaf
        leaves = rng.integers(n_leaves, size=60)
        y = np.where(rng.random(60) < 0.8, class_of_leaf[leaves], rng.integers(n_leaves, size=60))
        leaves, y = (
            np.r_[leaves, np.repeat(np.arange(n_leaves), 60)],
            np.r_[y, np.repeat(class_of_leaf, 60)],
        )
        matched = {int(c): leaf for leaf, c in enumerate(class_of_leaf)}
        expected = plain_mistake_distance(merges, leaves.tolist(), y.tolist(), matched)
        distance = mistake_distance(MergeTree(merges), leaves, y)
        assert distance == pytest.approx(expected)
        assert 0 < distance <= 1

    def test_siblings_are_near_and_the_other_side_is_far(self):
        """In a balanced tree of 8, siblings are 2 of 6 steps apart."""
        y = np.repeat(np.arange(8), 10)
        leaves = y.copy()
        leaves[0] = 1
        assert mistake_distance(balanced(8), leaves, y) == pytest.approx(2 / 6)
        leaves[0] = 7
        assert mistake_distance(balanced(8), leaves, y) == 1

    def test_nan_without_a_mistake(self):
        assert math.isnan(mistake_distance(balanced(4), [0, 1, 2, 2], list("abcc")))
        assert math.isnan(mistake_distance(MergeTree([]), [0, 0], ["a", "b"]))

    def test_rows_of_a_class_without_a_leaf_are_left_out(self):
        """Class c is matched to no leaf: a and b take both."""
        leaves, y = [0, 0, 0, 1, 1, 1], list("aacbbc")
        assert math.isnan(mistake_distance(balanced(2), leaves, y))

    def test_a_class_is_not_matched_to_a_leaf_without_its_rows(self):
        """Leaf 2 is free, but has no row of c, so the match would be arbitrary."""
        leaves, y = [0, 0, 0, 1, 1, 1], list("aacbbc")
        assert math.isnan(mistake_distance(balanced(4), leaves, y))

    def test_a_leaf_outside_the_tree_is_told(self):
        with pytest.raises(ValueError, match=r"leaf_labels\[1\] is 4, but the leaves .* 0 to 3"):
            mistake_distance(balanced(4), [0, 4], [0, 1])
        with pytest.raises(ValueError, match="must be of the same rows, got 2 and 3"):
            mistake_distance(balanced(4), [0, 3], [0, 1, 1])


def similarity_of(seed, n_leaves):
    rng = np.random.default_rng(seed)
    return rng.random((n_leaves, n_leaves)) * (rng.random((n_leaves, n_leaves)) < 0.6)


class TestDasguptaCost:
    @seeds
    def test_it_is_its_definition(self, seed):
        rng = np.random.default_rng(seed)
        n_leaves = int(rng.integers(3, 12))
        merges, similarity = random_merges(n_leaves, rng), similarity_of(seed, n_leaves)
        cost = dasgupta_cost(MergeTree(merges), similarity)
        assert cost == pytest.approx(plain_dasgupta(merges, similarity))
        assert 2 / n_leaves <= cost <= 1

    def test_the_mean_over_all_orders_of_merging(self):
        """2 (K + 1) / (3 K), whatever the similarity."""
        similarity = similarity_of(0, 5)
        costs = [dasgupta_cost(MergeTree(merges), similarity) for merges in TREES]
        assert np.mean(costs) == pytest.approx(2 * 6 / (3 * 5))

    @for_every(TREES[::10])
    def test_every_tree_costs_the_same_if_all_are_alike(self, merges):
        assert dasgupta_cost(MergeTree(merges), np.ones((5, 5))) == pytest.approx(12 / 15)

    @seeds
    def test_neither_scale_nor_direction_nor_diagonal_counts(self, seed):
        rng = np.random.default_rng(seed)
        tree, similarity = MergeTree(random_merges(9, rng)), similarity_of(seed, 9)
        cost = dasgupta_cost(tree, similarity)
        for same in (
            7 * similarity,
            similarity.T,
            similarity + similarity.T,
            similarity + np.eye(9),
        ):
            assert dasgupta_cost(tree, same) == pytest.approx(cost)

    def test_higra_gives_the_same(self):
        higra = pytest.importorskip("higra")
        rng = np.random.default_rng(0)
        merges, similarity = random_merges(12, rng), similarity_of(0, 12)
        tree = MergeTree(merges)
        parents = np.where(tree.parents < 0, tree.n_nodes - 1, tree.parents)
        graph = higra.UndirectedGraph(12)
        some, other = np.triu_indices(12, 1)
        graph.add_edges(some, other)
        weights = (similarity + similarity.T)[some, other]
        cost = higra.dasgupta_cost(higra.Tree(parents), weights, graph, mode="similarity")
        assert dasgupta_cost(tree, similarity) == pytest.approx(cost / (12 * weights.sum()))


class TestReassignmentWithin:
    @seeds
    def test_it_is_its_definition(self, seed):
        rng = np.random.default_rng(seed)
        tree, profiles = MergeTree(random_merges(9, rng)), similarity_of(seed, 9)
        np.fill_diagonal(profiles, 0)
        shares = reassignment_within(tree, profiles)
        for level in range(1, 10):
            together = np.equal.outer(tree.cut(level), tree.cut(level))
            expected = profiles[together].sum() / profiles.sum()
            assert shares[level - 1] == pytest.approx(expected)
            assert reassignment_within(tree, profiles, levels=level) == shares[level - 1]
        assert np.array_equal(reassignment_within(tree, profiles, levels=[3, 1]), shares[[2, 0]])

    @seeds
    def test_it_falls_from_1_to_0(self, seed):
        tree = MergeTree(random_merges(30, np.random.default_rng(seed)))
        shares = reassignment_within(tree, similarity_of(seed, 30))
        assert shares[0] == 1
        assert shares[-1] == 0
        assert (np.diff(shares) <= 0).all()

    def test_of_a_fitted_model(self):
        logits = np.random.default_rng(0).normal(size=(90, 6))
        model = L2HClustering("precomputed").fit(logits)
        shares = reassignment_within(model, profile_matrix(model, logits))
        assert shares[0] == 1
        assert shares[-1] == 0

    def test_levels_are_checked(self):
        with pytest.raises(ValueError, match=r"There is no level 5: .* levels 1 to 4"):
            reassignment_within(balanced(4), np.ones((4, 4)), levels=[1, 5])
        with pytest.raises(TypeError, match=r"levels must be an integer, got 2\.0"):
            reassignment_within(balanced(4), np.ones((4, 4)), levels=2.0)

    def test_of_no_levels_there_are_no_shares(self):
        assert reassignment_within(balanced(4), np.ones((4, 4)), levels=[]).shape == (0,)


@pytest.mark.parametrize("metric", COSTS, ids=lambda metric: metric.__name__)
class TestMatrices:
    @pytest.mark.parametrize("sparse", [csr_matrix, coo_matrix])
    @seeds
    def test_sparse_is_dense(self, seed, sparse, metric):
        tree = MergeTree(random_merges(12, np.random.default_rng(seed)))
        matrix = similarity_of(seed, 12)
        np.testing.assert_allclose(metric(tree, sparse(matrix)), metric(tree, matrix))

    def test_no_mass_is_nan(self, metric):
        assert np.isnan(metric(balanced(4), np.eye(4))).all()
        assert np.isnan(metric(MergeTree([]), [[3.0]])).all()

    @pytest.mark.parametrize("kind", [np.asarray, csr_matrix])
    @pytest.mark.parametrize("exponent", [-1000, 900, 1022])
    def test_only_shares_of_the_sum_matter(self, exponent, kind, metric):
        """Even if the sum itself overflows float64, or is close to 0."""
        tree = MergeTree(random_merges(12, np.random.default_rng(0)))
        matrix = similarity_of(0, 12)
        matrix /= matrix.max()
        found = metric(tree, kind(np.ldexp(matrix, exponent)))
        np.testing.assert_allclose(found, metric(tree, matrix), rtol=1e-12)

    def test_bad_matrices_are_told(self, metric):
        tree = balanced(4)
        with pytest.raises(ValueError, match=r"must have the shape \(4, 4\), .* got \(3, 3\)"):
            metric(tree, np.ones((3, 3)))
        with pytest.raises(ValueError, match=r"must not be negative, got -1"):
            metric(tree, np.eye(4) - 1)
        with pytest.raises(ValueError, match="contains NaN"):
            metric(tree, np.full((4, 4), np.nan))
        with pytest.raises(TypeError, match="A MergeTree or a fitted estimator is needed"):
            metric(np.eye(4), tree)

    def test_a_chain_of_2_000_leaves(self, metric):
        matrix = np.random.default_rng(0).random((2000, 2000))
        tree = chain(2000)
        np.testing.assert_allclose(metric(tree, matrix), metric(tree, csr_matrix(matrix)))


class TestOtherLibraries:
    def test_higra_gives_the_same_purity_over_leaves(self):
        higra = pytest.importorskip("higra")
        rng = np.random.default_rng(0)
        tree, classes = MergeTree(random_merges(40, rng)), rng.integers(5, size=40)
        parents = np.where(tree.parents < 0, tree.n_nodes - 1, tree.parents)
        expected = higra.dendrogram_purity(higra.Tree(parents), classes)
        assert metrics.superclass_purity(tree, classes) == pytest.approx(expected)

    @pytest.mark.parametrize("seed", range(5))
    def test_clustpy_gives_the_same_purities_and_accuracy(self, seed):
        clustpy = pytest.importorskip("clustpy.metrics.external")
        rng = np.random.default_rng(seed)
        merges = random_merges(12, rng)
        leaves, y = rng.integers(12, size=200), rng.integers(5, size=200)
        expected = clustpy.dendrogram_purity(np.array(merges), y, leaves)
        purity = metrics.dendrogram_purity(MergeTree(merges), leaves, y)
        assert purity == pytest.approx(expected)
        expected = clustpy.unsupervised_clustering_accuracy(y, leaves)
        assert clustering_accuracy(y, leaves) == pytest.approx(expected)
        assert leaf_purity(leaves, y) == pytest.approx(clustpy.purity(y, leaves))

    def test_treeswift_gives_the_same_longest_path(self):
        treeswift = pytest.importorskip("treeswift")
        for seed in range(5):
            tree = MergeTree(random_merges(25, np.random.default_rng(seed)))
            theirs = treeswift.read_tree_newick(export_newick(tree, heights=None))
            for node in theirs.traverse_preorder():
                node.set_edge_length(1)
            assert longest_path(tree) == theirs.diameter()


def test_the_longest_path_and_depths_of_a_tree():
    """Counted by the sets that hold one of two leaves and not the other."""
    for merges in TREES[::5]:
        sets, tree = clades(merges), MergeTree(merges)
        apart = [sum((a in s) != (b in s) for s in sets) for a in range(5) for b in range(a)]
        assert longest_path(tree) == max(apart)
        assert depths(tree).tolist() == [len(tree.path(node)) - 1 for node in range(9)]


def test_real_data(real_data):
    """The values were measured by other code on the same files."""
    data = real_data("cifar10_probabilities.npz")
    leaves, y = data["probabilities"].argmax(axis=1), data["y"]
    rng = np.random.default_rng(0)
    tree = MergeTree(data["children"])
    drawn = [
        metrics.dendrogram_purity(MergeTree(random_merges(10, rng)), leaves, y) for _ in range(100)
    ]
    assert metrics.dendrogram_purity(tree, leaves, y) == pytest.approx(0.845, abs=5e-4)
    assert np.mean(drawn) == pytest.approx(0.828, abs=2e-3)
    assert metrics.dendrogram_purity(tree, leaves, y, adjusted=True) > 0.9

    data = real_data("clinc150_logits.npz")
    purity = metrics.superclass_purity(MergeTree(data["children"]), data["domain_of"])
    assert purity == pytest.approx(0.345, abs=5e-4)
