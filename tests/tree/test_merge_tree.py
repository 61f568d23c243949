"""MergeTree compared with plain walks on all small trees, and with SciPy."""

import copy
import pickle
from itertools import combinations, pairwise

import joblib
import numpy as np
import pytest
from helpers.orders import TREES, for_every
from helpers.trees import chain
from scipy.cluster.hierarchy import cophenet, fcluster, is_monotonic, is_valid_linkage, linkage
from scipy.spatial.distance import squareform

from skl2h import L2HClustering, MergeTree, affinity_tree, confusion_tree, l2h_tree


def groups_by_hand(merges, n_leaves, level):
    groups = {leaf: {leaf} for leaf in range(n_leaves)}
    for t, (a, b) in enumerate(merges[: n_leaves - level]):
        groups[n_leaves + t] = groups.pop(a) | groups.pop(b)
    return sorted(groups.values(), key=min)


def leaves_by_hand(merges, n_leaves, node):
    if node < n_leaves:
        return {node}
    a, b = merges[node - n_leaves]
    return leaves_by_hand(merges, n_leaves, a) | leaves_by_hand(merges, n_leaves, b)


all_trees = for_every(TREES)


def test_there_are_180_orders():
    assert len(TREES) == 180


@all_trees
def test_cut_replays_the_merges(merges):
    """Every level has exactly that many groups, numbered by their smallest leaf."""
    for level in range(1, 6):
        groups = groups_by_hand(merges, 5, level)
        assert len(groups) == level
        expected = [next(i for i, group in enumerate(groups) if leaf in group) for leaf in range(5)]
        assert MergeTree(merges).cut(level).tolist() == expected


@all_trees
def test_cuts_are_nested(merges):
    """Leaves that share a group keep sharing one in every coarser cut."""
    cuts = [MergeTree(merges).cut(level) for level in range(5, 0, -1)]
    together = [np.equal.outer(cut, cut) for cut in cuts]
    assert all((fine <= coarse).all() for fine, coarse in pairwise(together))


@all_trees
def test_members_sizes_and_counts(merges):
    tree = MergeTree(merges, counts=[1, 10, 100, 1000, 10000])
    for node in range(tree.n_nodes):
        leaves = leaves_by_hand(merges, 5, node)
        assert tree.members(node).tolist() == sorted(leaves)
        assert tree.sizes[node] == len(leaves)
        assert tree.node_counts[node] == sum(10**leaf for leaf in leaves)


@all_trees
def test_parents_and_paths(merges):
    tree = MergeTree(merges)
    for node in range(tree.n_nodes):
        above = [n for n in range(9) if set(tree.members(node)) <= set(tree.members(n))]
        assert tree.path(node).tolist() == above
        assert tree.parents[node] == (above[1] if len(above) > 1 else -1)


@all_trees
def test_lca_is_the_smallest_group_that_holds_both(merges):
    tree = MergeTree(merges)
    a, b = np.mgrid[0:9, 0:9]
    table = tree.lca(a, b)
    assert np.array_equal(table, table.T)
    for i, j in combinations(range(9), 2):
        common = set(tree.path(i)) & set(tree.path(j))
        assert table[i, j] == min(common) == tree.lca(i, j)
    assert isinstance(tree.lca(0, 1), int)


@all_trees
def test_no_branches_cross_in_the_leaf_order(merges):
    tree = MergeTree(merges)
    place = np.argsort(tree.leaf_order)
    for node in range(tree.n_nodes):
        start = tree.starts[node]
        below = tree.leaf_order[start : start + tree.sizes[node]]
        assert np.array_equal(np.sort(below), tree.members(node))
    for first, second in merges:
        assert place[tree.members(first)].max() < place[tree.members(second)].min()


@all_trees
def test_linkage_round_trip(merges):
    tree = MergeTree(merges, scores=[0.5, 0.5, 0.25, 2.0], names="edcba", counts=range(5))
    back = MergeTree.from_linkage(tree.to_linkage("score"), names="edcba", counts=range(5))
    assert back == tree
    ranks = tree.to_linkage()
    assert is_valid_linkage(ranks)
    assert is_monotonic(ranks)
    assert ranks[:, 2].tolist() == [1, 2, 3, 4]


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("method", ["single", "average", "ward"])
def test_scipy_agrees(seed, method):
    """Cuts equal fcluster's where it is right (by height, without ties); LCAs equal cophenet's."""
    Z = linkage(np.random.default_rng(seed).standard_normal((30, 3)), method)
    tree = MergeTree.from_linkage(Z)
    for level in range(1, 31):
        height = 0.0 if level == 30 else Z[29 - level, 2]
        ours, theirs = tree.cut(level), fcluster(Z, height, "distance")
        pairs = set(zip(ours, theirs))
        assert len(pairs) == level == len(set(ours)) == len(set(theirs))
    pairs = np.triu_indices(30, 1)
    heights = tree.scores[tree.lca(*pairs) - 30]
    np.testing.assert_allclose(heights, squareform(squareform(cophenet(Z))))


@pytest.mark.parametrize("seed", range(5))
def test_cut_by_score_makes_the_merges_up_to_it(seed):
    scores = np.random.default_rng(seed).integers(0, 5, 19)  # ties, and not monotone
    tree = MergeTree([(0, 1), *((t + 20, t + 2) for t in range(18))], scores=scores)
    for limit in [-1, 0, 1.5, 2, 4, 9]:
        made = next((t for t, score in enumerate(scores) if score > limit), 19)
        assert np.array_equal(tree.cut(score=limit), tree.cut(20 - made))
    assert tree.cut(score=[0, 2]).shape == (20, 2)


def test_several_levels_give_one_column_each():
    tree = MergeTree(TREES[77])
    table = tree.cut([5, 3, 1])
    assert table.shape == (5, 3)
    assert all(np.array_equal(table[:, i], tree.cut(level)) for i, level in enumerate([5, 3, 1]))
    assert tree.cut(np.array([2])).shape == (5, 1)
    assert tree.cut([]).shape == (5, 0)


@pytest.fixture(scope="module")
def deep():
    """Every leaf joins the one large group: depth 99,999."""
    return chain(100_000, scores=np.arange(99_999.0))


def test_chain_of_100_000_leaves(deep):
    """No recursion anywhere, and nothing quadratic: this would not end otherwise."""
    n_leaves = deep.n_leaves
    assert deep.cut(3).tolist() == [0] * (n_leaves - 2) + [1, 2]
    assert deep.cut(score=9.0).max() == n_leaves - 11
    assert np.array_equal(deep.leaf_order, np.arange(n_leaves))
    assert deep.members(n_leaves + 1).tolist() == [0, 1, 2]
    assert len(deep.path(0)) == n_leaves
    assert deep.lca(0, n_leaves - 1) == 2 * n_leaves - 2
    assert pickle.loads(pickle.dumps(deep)) == deep
    assert is_valid_linkage(deep.to_linkage())


def test_one_leaf():
    tree = MergeTree([])
    assert (tree.n_leaves, tree.n_nodes, tree.children.shape) == (1, 1, (0, 2))
    assert tree.cut(1).tolist() == tree.leaf_order.tolist() == tree.members(0).tolist() == [0]
    assert tree.lca(0, 0) == 0
    assert tree.path(0).tolist() == [0]
    assert tree.to_linkage().shape == (0, 4)
    assert MergeTree.from_linkage(tree.to_linkage()).cut([1]).tolist() == [[0]]


FIELDS = ["children", "scores", "counts", "parents", "sizes", "node_counts", "leaf_order"]


@pytest.mark.parametrize("copied", ["new", "pickle", "joblib", "deepcopy"])
def test_nothing_can_be_changed(copied, tmp_path):
    tree = MergeTree(TREES[3], scores=range(4), counts=range(5))
    if copied == "pickle":
        tree = pickle.loads(pickle.dumps(tree))
    elif copied == "joblib":
        joblib.dump(tree, tmp_path / "tree.joblib")
        tree = joblib.load(tmp_path / "tree.joblib")
    elif copied == "deepcopy":
        tree = copy.deepcopy(tree)
    for field in FIELDS:
        values = getattr(tree, field)
        with pytest.raises(ValueError, match="read-only"):
            values[0] = 7
        with pytest.raises(AttributeError, match=f"make a new one to set '{field}'"):
            setattr(tree, field, values)
    with pytest.raises(AttributeError, match="cannot be changed"):
        del tree.children


def test_input_is_copied():
    children, scores = np.array([[0, 1]]), np.array([1.0])
    tree = MergeTree(children, scores=scores)
    children[0, 0], scores[0] = 7, 7
    assert (tree.children[0, 0], tree.scores[0]) == (0, 1)


def test_equality():
    def tree(**changes):
        fields = {"children": [(0, 1), (2, 3)], "scores": [1, 2], "names": "abc", "counts": [1] * 3}
        fields |= changes
        return MergeTree(fields.pop("children"), **fields)

    assert tree() == tree()
    assert hash(tree()) == hash(tree())
    others = [
        {"children": [(1, 0), (2, 3)]},
        {"scores": [1, 3]},
        {"scores": None},
        {"names": None},
        {"counts": None},
        {"counts": [1, 1, 2]},
    ]
    assert all(tree(**changes) != tree() for changes in others)
    assert tree() != "tree"
    assert tree(method="l2h") == tree(method="affinity") == tree()
    assert hash(tree(method="l2h")) == hash(tree())


@pytest.mark.parametrize("method", ["l2h", "affinity", None])
def test_trees_made_of_a_tree_keep_its_method(method):
    """A copy, other names and another support say nothing new about how the tree was made."""
    tree = MergeTree([(0, 2), (1, 3)], scores=[1, 2], method=method)
    copies = [copy.copy(tree), copy.deepcopy(tree), pickle.loads(pickle.dumps(tree))]
    others = [tree.with_names("abc"), tree.with_names(None), tree.with_support([0.5, 1])]
    assert [made.method for made in [tree, *copies, *others]] == [method] * 7
    with pytest.raises(AttributeError, match="make a new one to set 'method'"):
        tree.method = "l2h"


def test_what_makes_a_tree_says_how():
    """A linkage matrix of SciPy does not say what its heights are."""
    logits = [[3, 2, 0, 0], [2, 3, 0, 0], [1, 0, 4, 2], [0, 0, 2, 4]]
    model = L2HClustering("precomputed").fit(logits)
    assert l2h_tree(logits).method == model.tree_.method == "l2h"
    assert affinity_tree(logits).method == confusion_tree(np.ones((3, 3))).method == "affinity"
    assert MergeTree([(0, 1)]).method is None
    assert MergeTree.from_linkage(affinity_tree(logits).to_linkage("score")).method is None


def test_names():
    tree = MergeTree([(0, 1)])
    assert tree.names == ("0", "1")
    assert tree.with_names([3.5, "a\nb"]).names == ("3.5", "a\nb")
    assert tree.with_names("ab").with_names(None) == tree
    assert repr(tree) == "MergeTree(n_leaves=2)"


Z = np.array([[0, 1, 1, 2], [2, 3, 2, 3]])
BAD = {
    "shape": (lambda: MergeTree([(0, 1, 2)]), r"children must have the shape \(n_leaves - 1, 2\)"),
    "fractions": (lambda: MergeTree([(0, 0.5)]), "children must be integers"),
    "nan": (lambda: MergeTree([(0, np.nan)]), "children must be integers"),
    "negative": (lambda: MergeTree([(0, -1)]), "Merge 0 joins node -1, which is not there yet"),
    "ahead": (lambda: MergeTree([(0, 3), (1, 2)]), "Merge 0 joins node 3, which is not there"),
    "twice": (lambda: MergeTree([(0, 1), (0, 2)]), "Node 0 is merged more than once"),
    "itself": (lambda: MergeTree([(1, 1)]), "Node 1 is merged more than once"),
    "scores": (lambda: MergeTree([(0, 1)], scores=[1, 2]), r"scores must have the shape \(1,\)"),
    "nan score": (lambda: MergeTree([(0, 1)], scores=[np.nan]), r"scores\[0\] is nan, not a fin"),
    "inf score": (lambda: MergeTree([(0, 1)], scores=[np.inf]), r"scores\[0\] is inf, not a fin"),
    "huge": (lambda: MergeTree([(0, 2**70)]), "children must be integers, got object"),
    "text": (lambda: MergeTree([("0", "1")]), "children must be integers, got <U1"),
    "method": (
        lambda: MergeTree([(0, 1)], method="average"),
        "method must be 'l2h', 'affinity' or None, got 'average'",
    ),
    "method of number": (lambda: MergeTree([(0, 1)], method=1), "method must be 'l2h', .* got 1"),
    "none": (lambda: MergeTree(None), r"children must have the shape .* got \(\)"),
    "no columns": (lambda: MergeTree(np.zeros((5, 0))), r"got \(5, 0\)"),
    "text scores": (lambda: MergeTree([(0, 1)], scores=["0.5"]), "scores must be real numb"),
    "no score": (lambda: MergeTree([(0, 1)], scores=[None]), "scores must be .* dtype object"),
    "huge score": (lambda: MergeTree([(0, 1)], scores=[10**400]), "scores must be real numb"),
    "complex score": (lambda: MergeTree([(0, 1)], scores=[1j]), "scores must be real numb"),
    "many rows": (
        lambda: MergeTree([(0, 1)], counts=[2**62, 2**62]),
        "counts add up to more than 9223372036854775807",
    ),
    "many unsigned": (
        lambda: MergeTree([(0, 1)], counts=np.array([2**63, 0], dtype=np.uint64)),
        "counts add up to more than 9223372036854775807",
    ),
    "large weights": (
        lambda: MergeTree([(0, 1)], counts=[1e308, 1e308]), r"counts add up to more than 1\.79"
    ),
    "text cut": (lambda: MergeTree([(0, 1)], scores=[1]).cut(score="1"), "score must be real numb"),
    "text linkage": (lambda: MergeTree.from_linkage([["1"] * 4]), "linkage must be real numbers"),
    "text counts": (lambda: MergeTree([(0, 1)], counts="ab"), "counts must have the shape|numbers"),
    "nan counts": (lambda: MergeTree([(0, 1)], counts=[1, np.nan]), r"counts\[1\] is nan"),
    "negative counts": (lambda: MergeTree([(0, 1)], counts=[1, -2]), r"counts\[1\] is negative"),
    "nan cut": (lambda: MergeTree([(0, 1)], scores=[1]).cut(score=np.nan), "score must not be NaN"),
    "2-d cut": (lambda: MergeTree([(0, 1)], scores=[1]).cut(score=[[1]]), "score must be one num"),
    "names": (lambda: MergeTree([(0, 1)], names=["a"]), "1 names were given for 2 leaves"),
    "counts": (lambda: MergeTree([(0, 1)], counts=[1]), r"counts must have the shape \(2,\)"),
    "level 0": (lambda: MergeTree([(0, 1)]).cut(0), "There is no level 0: a tree of 2 leaves"),
    "level 3": (lambda: MergeTree([(0, 1)]).cut([1, 3]), "There is no level 3"),
    "no scores": (lambda: MergeTree([(0, 1)]).cut(score=1), "no scores to cut by"),
    "members": (lambda: MergeTree([(0, 1)]).members(3), "There is no node 3: they are 0 to 2"),
    "path": (lambda: MergeTree([(0, 1)]).path(-1), "There is no node -1"),
    "lca": (lambda: MergeTree([(0, 1)]).lca([0, 9], 1), "There is no node 9"),
    "heights": (lambda: MergeTree([(0, 1)]).to_linkage("x"), "heights must be 'rank' or 'score'"),
    "no heights": (lambda: MergeTree([(0, 1)]).to_linkage("score"), "no scores: use heights"),
    "columns": (lambda: MergeTree.from_linkage(Z[:, :3]), "A linkage matrix has 4 columns"),
    "leaves": (
        lambda: MergeTree.from_linkage(Z + [0, 0, 0, 1]),
        "Line 0 of the linkage matrix says 3 leaves, but its merge holds 2",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_input(name):
    call, message = BAD[name]
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("arguments", [{}, {"level": 1, "score": 1}], ids=["none", "both"])
def test_cut_takes_one_of_level_and_score(arguments):
    tree = MergeTree([(0, 1)], scores=[1])
    with pytest.raises(TypeError, match="either level= or score="):
        tree.cut(**arguments)


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, bool, np.float16, np.int64])
def test_small_counts_do_not_wrap(dtype):
    counts = np.full(300, 100).astype(dtype)
    assert chain(300, counts=counts).node_counts[-1] == 300 * int(counts[0])


@pytest.mark.parametrize("method", ["members", "path"])
@pytest.mark.parametrize("node", [0.5, [0, 1], None, True])
def test_one_node_is_one_integer(method, node):
    with pytest.raises(TypeError, match="integer"):
        getattr(MergeTree([(0, 1)]), method)(node)


def test_ancestors_are_of_nodes():
    tree = MergeTree([(0, 2), (1, 3)])
    with pytest.raises(TypeError, match=r"a must be an integer, got 0\.5"):
        tree.lca(0.5, 1)
    with pytest.raises(
        TypeError, match=r"b must be an integer or an array of integers, got \[0.5\]"
    ):
        tree.lca(1, [0.5])
    with pytest.raises(ValueError, match=r"shapes that fit each other, got \(2,\) and \(3,\)"):
        tree.lca([0, 1], [0, 1, 2])


@pytest.mark.parametrize("level", [1.5, "1", {1}, True, np.True_, np.array([1])[None]], ids=repr)
@pytest.mark.parametrize("several", [False, True])
def test_level_is_an_integer(level, several):
    tree = MergeTree([(0, 1)])
    level = [level] if several else level
    with pytest.raises(TypeError, match=r"level(\[0\])? must be an int|level must be a seq"):
        tree.cut(level)


@pytest.mark.parametrize("level", [2, np.int8(2), np.array(2), np.uint64(2)], ids=repr)
def test_any_integer_is_a_level(level):
    tree = MergeTree([(0, 2), (1, 3)])
    assert tree.cut(level).tolist() == [0, 1, 0]
    assert tree.cut([level]).tolist() == [[0], [1], [0]]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ({"a", "b"}, "in the order of the leaves, which a set does not have"),
        (2, "names must be one sequence of texts, got 2"),
        (np.array([["a"], ["b"]]), "names must be one sequence of texts"),
    ],
    ids=["set", "number", "table"],
)
def test_names_are_a_sequence(names, message):
    with pytest.raises(TypeError, match=message):
        MergeTree([(0, 1)], names=names)


def test_sums_up_to_the_largest_number_are_right():
    children = [(0, 1), (2, 3)]
    largest = np.iinfo(np.int64).max
    assert MergeTree(children, counts=[largest - 3, 1, 2]).node_counts[-1] == largest
    assert MergeTree(children, counts=[8e307, 8e307, 0]).node_counts[-1] == 1.6e308
