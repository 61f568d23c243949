"""Trees compared with trees and nested labels: definitions by triples, laws, other libraries."""

import functools
import math
import re
from itertools import combinations

import numpy as np
import pytest
from helpers.orders import TREES, for_every
from helpers.plain_metrics import (
    clades,
    groups_of_columns,
    pair_heights,
    plain_correlation,
    plain_shared_clades,
    plain_triplet_accuracy,
)
from helpers.trees import balanced, chain, random_merges
from scipy.cluster.hierarchy import cophenet, linkage
from scipy.stats import spearmanr
from sklearn.cluster import AgglomerativeClustering

from skl2h import L2HClustering, MergeTree
from skl2h.export import export_newick, from_newick
from skl2h.metrics import cophenetic_correlation, shared_clades, triplet_accuracy

METRICS = [triplet_accuracy, cophenetic_correlation, shared_clades]
every_metric = pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.__name__)
seeds = pytest.mark.parametrize("seed", range(30))

# All orders of five leaves up to renaming of leaves, which does not matter: see TestLaws.
SHAPES = {
    tuple(tuple(sorted(max(node, 4) for node in pair)) for pair in merges): merges
    for merges in TREES
}


def random_columns(rng, n_leaves, n_columns):
    """Nested labels in any order of columns, some of which may be equal."""
    columns = [rng.integers(max(1, n_leaves // 2), size=n_leaves)]
    for _ in range(n_columns - 1):
        group_above = rng.integers(columns[-1].max() + 1, size=columns[-1].max() + 1)
        columns.append(group_above[columns[-1]])
    return np.array([columns[i] for i in rng.permutation(n_columns)]).T


def shared_columns(columns):
    """Number of columns in which each pair of leaves differs: 0 is closest."""
    return {
        (a, b): (columns[a] != columns[b]).sum() for a, b in combinations(range(len(columns)), 2)
    }


def random_pair(seed):
    rng = np.random.default_rng(seed)
    n_leaves = int(rng.integers(3, 13))
    return random_merges(n_leaves, rng), random_merges(n_leaves, rng)


@functools.cache
def references():
    """Tree, clades and heights of each order of five leaves."""
    return [(other, MergeTree(other), clades(other), pair_heights(other)) for other in TREES]


@for_every(SHAPES.values())
def test_definitions_on_every_tree(merges):
    """Each shape against all 180 orders of five leaves."""
    assert len(SHAPES) == 5
    sets, heights, tree = clades(merges), pair_heights(merges), MergeTree(merges)
    for other, reference, other_sets, _ in references():
        expected = plain_triplet_accuracy(other, sets)
        assert triplet_accuracy(tree, reference) == pytest.approx(expected, abs=1e-14)
        expected = plain_shared_clades(sets, other_sets, 5)
        assert shared_clades(tree, reference) == pytest.approx(expected, abs=1e-14)
    for _, reference, _, other_heights in references()[::4]:
        expected = plain_correlation(heights, other_heights)
        got = cophenetic_correlation(tree, reference)
        assert got == pytest.approx(expected, abs=1e-12)


@seeds
def test_definitions_on_random_trees(seed):
    merges, other = random_pair(seed)
    tree, reference = MergeTree(merges), MergeTree(other)
    sets, other_sets, n_leaves = clades(merges), clades(other), len(merges) + 1
    assert triplet_accuracy(tree, reference) == pytest.approx(
        plain_triplet_accuracy(merges, other_sets)
    )
    assert shared_clades(tree, reference) == pytest.approx(
        plain_shared_clades(sets, other_sets, n_leaves)
    )
    assert cophenetic_correlation(tree, reference) == pytest.approx(
        plain_correlation(pair_heights(merges), pair_heights(other)), abs=1e-12
    )


@seeds
def test_definitions_on_nested_labels(seed):
    rng = np.random.default_rng(seed)
    n_leaves = int(rng.integers(3, 13))
    merges = random_merges(n_leaves, rng)
    columns = random_columns(rng, n_leaves, int(rng.integers(1, 5)))
    tree, groups = MergeTree(merges), groups_of_columns(columns)
    expected = plain_triplet_accuracy(merges, groups)
    got = triplet_accuracy(tree, columns)
    assert math.isnan(got) if expected is None else got == pytest.approx(expected)
    expected = plain_shared_clades(clades(merges), groups, n_leaves)
    assert shared_clades(tree, columns) == pytest.approx(expected)
    distances = shared_columns(columns)
    got = cophenetic_correlation(tree, columns)
    if len(set(distances.values())) == 1:
        assert math.isnan(got)
    else:
        expected = plain_correlation(pair_heights(merges), distances)
        assert got == pytest.approx(expected, abs=1e-12)


@every_metric
@pytest.mark.parametrize("seed", range(8))
class TestLaws:
    def test_symmetric(self, seed, metric):
        tree, reference = map(MergeTree, random_pair(seed))
        assert metric(tree, reference) == pytest.approx(metric(reference, tree), abs=1e-12)

    def test_1_of_the_tree_itself_and_else_less(self, seed, metric):
        tree, reference = map(MergeTree, random_pair(seed))
        assert metric(tree, tree) == pytest.approx(1.0, abs=1e-12)
        assert -1 <= metric(tree, reference) <= 1
        same_sets = set(clades(tree.children)) == set(clades(reference.children))
        if not same_sets:
            assert metric(tree, reference) < 1

    def test_the_sides_of_merges_do_not_count(self, seed, metric):
        tree, reference = map(MergeTree, random_pair(seed))
        swapped = MergeTree(reference.children[:, ::-1])
        assert metric(tree, swapped) == pytest.approx(metric(tree, reference), abs=1e-12)

    def test_renumbering_the_leaves_of_both_does_not_count(self, seed, metric):
        merges, other = random_pair(seed)
        n_leaves = len(merges) + 1
        number = np.arange(2 * n_leaves - 1)
        number[:n_leaves] = np.random.default_rng(seed).permutation(n_leaves)
        renumbered = metric(MergeTree(number[merges]), MergeTree(number[other]))
        assert renumbered == pytest.approx(metric(MergeTree(merges), MergeTree(other)), abs=1e-12)

    def test_a_linkage_matrix_is_its_tree(self, seed, metric):
        tree, reference = map(MergeTree, random_pair(seed))
        assert metric(tree, reference.to_linkage()) == metric(tree, reference)

    def test_leaves_are_told_by_name(self, seed, metric):
        """The same tree, its leaves in another order."""
        merges, other = random_pair(seed)
        n_leaves = len(merges) + 1
        names = [f"leaf {i}" for i in range(n_leaves)]
        number = np.arange(2 * n_leaves - 1)
        number[:n_leaves] = np.random.default_rng(seed).permutation(n_leaves)
        renamed = [names[i] for i in number[:n_leaves].argsort()]
        expected = metric(MergeTree(merges), MergeTree(other))
        tree, reference = MergeTree(merges, names=names), MergeTree(number[other], names=renamed)
        assert metric(tree, reference) == pytest.approx(expected, abs=1e-12)
        assert metric(reference, tree) == pytest.approx(expected, abs=1e-12)

    def test_numbers_are_names_that_come_back_in_another_order(self, seed, metric):
        tree = MergeTree(random_merges(9, np.random.default_rng(seed)))
        again = from_newick(export_newick(tree))
        assert metric(tree, again) == metric(again, tree) == pytest.approx(1)

    @pytest.mark.parametrize("names", [list("zyxwvutsr"), list("876543210")], ids="".join)
    def test_what_has_no_names_knows_leaves_by_number(self, seed, metric, names):
        """Even if the names are numbers in another order."""
        rng = np.random.default_rng(seed)
        tree = MergeTree(random_merges(9, rng), names=names)
        reference = AgglomerativeClustering(3, compute_distances=True).fit(rng.normal(size=(9, 2)))
        expected = metric(MergeTree(tree.children), reference)
        for given in (reference, MergeTree(reference.children_).to_linkage()):
            assert metric(tree, given) == pytest.approx(expected, abs=1e-12)

    def test_columns_may_stand_in_any_order(self, seed, metric):
        rng = np.random.default_rng(seed)
        tree, columns = MergeTree(random_merges(20, rng)), random_columns(rng, 20, 4)
        expected = metric(tree, columns)
        got = metric(tree, columns[:, rng.permutation(4)])
        assert got == pytest.approx(expected, abs=1e-12, nan_ok=True)
        words = np.char.add("group ", columns.astype(str))
        assert metric(tree, words) == pytest.approx(expected, abs=1e-12, nan_ok=True)


@pytest.mark.parametrize("seed", range(5))
def test_all_cuts_of_a_tree_are_the_tree(seed):
    """As nested labels, levels 1 to K say which two of three leaves are joined first, and when."""
    rng = np.random.default_rng(seed)
    tree, other = MergeTree(random_merges(15, rng)), MergeTree(random_merges(15, rng))
    levels = other.cut(range(1, 16))
    for metric in METRICS:
        assert metric(tree, levels) == pytest.approx(metric(tree, other), abs=1e-12)
        assert metric(other, levels) == pytest.approx(1.0)


def test_random_trees_agree_by_chance():
    """A third of the triples, and no correlation, of 300 pairs."""
    rng = np.random.default_rng(0)
    reference = MergeTree(random_merges(12, rng))
    trees = [MergeTree(random_merges(12, rng)) for _ in range(300)]
    for metric, chance in ((triplet_accuracy, 1 / 3), (cophenetic_correlation, 0.0)):
        drawn = [metric(tree, reference) for tree in trees]
        assert abs(np.mean(drawn) - chance) < 4 * np.std(drawn) / np.sqrt(300)


def test_a_classification_that_the_tree_holds_is_resolved():
    """Clades of the tree as classes: every triple agrees, and finer merges do not count."""
    tree = balanced(16)
    for level in (2, 4, 8):
        assert triplet_accuracy(tree, tree.cut(level)) == 1
    assert triplet_accuracy(tree, tree.cut([2, 8])) == 1


class TestOthers:
    @pytest.mark.parametrize("method", ["single", "average", "complete", "ward"])
    def test_scipy_gives_the_same_cophenetic_correlation(self, method):
        X = np.random.default_rng(0).normal(size=(60, 3))
        some, other = linkage(X, method), linkage(X[:, :2], "average")
        expected = spearmanr(cophenet(some), cophenet(other))[0]
        got = cophenetic_correlation(MergeTree.from_linkage(some), other)
        assert got == pytest.approx(expected, abs=1e-12)

    @pytest.mark.parametrize("seed", range(5))
    def test_dendropy_gives_the_same_robinson_foulds_distance(self, seed):
        dendropy = pytest.importorskip("dendropy")
        from dendropy.calculate import treecompare

        rng = np.random.default_rng(seed)
        n_leaves = int(rng.integers(4, 60))
        names = [f"t{i}" for i in range(n_leaves)]
        some = random_merges(n_leaves, rng)
        other = some if seed == 0 else [*some[: n_leaves // 2]]
        if seed:  # the second half of the merges is drawn again
            used = {node for pair in other for node in pair}
            alive = [node for node in range(n_leaves + len(other)) if node not in used]
            for node in range(n_leaves + len(other), 2 * n_leaves - 1):
                other.append(tuple(alive.pop(rng.integers(len(alive))) for _ in range(2)))
                alive.append(node)
        trees = [MergeTree(merges, names=names) for merges in (some, other)]
        taxa = dendropy.TaxonNamespace(names)
        theirs = [
            dendropy.Tree.get(
                data="[&R] " + export_newick(tree), schema="newick", taxon_namespace=taxa
            )
            for tree in trees
        ]
        distance = treecompare.symmetric_difference(*theirs)
        expected = 1 - distance / (2 * (n_leaves - 2))
        assert shared_clades(*trees) == pytest.approx(expected)


@every_metric
class TestReferences:
    def test_estimators_are_their_trees(self, metric):
        rng = np.random.default_rng(0)
        model = L2HClustering("precomputed").fit(rng.normal(size=(60, 6)))
        other = AgglomerativeClustering(compute_full_tree=True).fit(rng.normal(size=(6, 2)))
        expected = metric(model.tree_, MergeTree(other.children_))
        assert metric(model, other) == expected
        assert metric(model.tree_, other) == expected

    def test_a_data_frame_of_labels(self, metric):
        pandas = pytest.importorskip("pandas")
        tree = balanced(4)
        frame = pandas.DataFrame({"a": list("xxyy"), "b": [1, 2, 3, 4]})
        expected = metric(tree, [["x", "1"], ["x", "2"], ["y", "3"], ["y", "4"]])
        assert metric(tree, frame) == expected
        assert metric(tree, frame["a"]) == metric(tree, ["x", "x", "y", "y"])

    @pytest.mark.parametrize("n_leaves", [1, 2])
    def test_few_leaves(self, metric, n_leaves):
        tree = MergeTree([(0, 1)][: n_leaves - 1])
        expected = 1.0 if metric is shared_clades else float("nan")
        for reference in (tree, ["a"] * n_leaves, np.zeros((n_leaves, 3)), range(n_leaves)):
            np.testing.assert_equal(metric(tree, reference), expected)

    def test_a_reference_that_resolves_nothing(self, metric):
        """One class, or a class for each leaf."""
        expected = 0.0 if metric is shared_clades else float("nan")
        for reference in (["a"] * 5, range(5)):
            np.testing.assert_equal(metric(MergeTree(TREES[0]), reference), expected)

    def test_another_number_of_leaves_is_told(self, metric):
        tree = balanced(5)
        with pytest.raises(ValueError, match="over different leaves: 5 and 4"):
            metric(tree, balanced(4))
        for reference in (
            balanced(4).to_linkage(),
            range(4),
            np.zeros((5, 2, 2)),
            np.zeros((6, 4)),
            np.zeros((5, 0)),
        ):
            shape = re.escape(str(np.shape(reference)))
            with pytest.raises(ValueError, match=rf"linkage matrix of shape \(4, 4\).*{shape}"):
                metric(tree, reference)

    def test_other_leaves_are_told(self, metric):
        merges = [(0, 1), (2, 3)]
        tree = MergeTree(merges, names=["cat", "dog", "car"])
        with pytest.raises(ValueError, match="different leaves: only the first has 'dog'"):
            metric(tree, MergeTree(merges, names=["cat", "bus", "car"]))
        with pytest.raises(ValueError, match="Two leaves are named 'cat'"):
            metric(
                MergeTree(merges, names=["cat", "cat", "car"]),
                MergeTree(merges, names=["cat", "car", "cat"]),
            )

    def test_labels_that_are_not_nested_are_told(self, metric):
        columns = [["x", "p"], ["x", "q"], ["y", "q"], ["y", "r"]]
        with pytest.raises(
            ValueError, match="not nested: group 'q' of column 1 lies in several groups of column 0"
        ):
            metric(balanced(4), columns)

    def test_each_column_has_a_type_of_its_own(self, metric):
        columns = [["a", 2], ["a", 2], ["b", 10], ["b", 11]]
        expected = metric(balanced(4), [[0, 0], [0, 0], [1, 1], [1, 2]])
        assert metric(balanced(4), columns) == expected

    def test_bad_labels_are_told(self, metric):
        tree = balanced(4)
        with pytest.raises(ValueError, match="column 1 of the reference holds nan at 1"):
            metric(tree, [[0, 1], [0, np.nan], [1, 2], [1, 3]])
        with pytest.raises(ValueError, match="column 0 of the reference holds None at 1"):
            metric(tree, ["a", None, "b", "c"])
        with pytest.raises(ValueError, match="column 1 of the reference holds nan at 1"):
            metric(tree, [["a", "x"], ["a", np.nan], ["b", "y"], ["b", "y"]])
        with pytest.raises(TypeError, match="column 0 of the reference must hold labels of one"):
            metric(tree, ["a", 1, "b", "c"])
        with pytest.raises(ValueError, match="reference has lines of different lengths"):
            metric(tree, [["a", "x"], ["a"], ["b", "y"], ["b", "y"]])
        with pytest.raises(ValueError, match=r"A reference over 4 leaves is .*, got 'abcd'"):
            metric(tree, "abcd")
        with pytest.raises(ValueError, match=r"A reference over 4 leaves is .*, got None"):
            metric(tree, None)
        with pytest.raises(TypeError, match="A MergeTree or a fitted estimator is needed"):
            metric([(0, 1)], tree)


@every_metric
def test_large_trees(metric):
    """A chain against a balanced tree, either way round, and against labels; nothing quadratic."""
    deep, other = chain(20_000), balanced(20_000)
    assert metric(deep, other) == pytest.approx(metric(other, deep))
    assert -1 <= metric(deep, np.arange(20_000) // 100) <= 1
