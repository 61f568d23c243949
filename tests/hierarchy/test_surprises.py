"""Surprises are the merges that contradict a reference, by sets of leaves on all small trees."""

import numpy as np
import pytest
from helpers.cases import clear_logits
from helpers.orders import TREES, for_every
from helpers.trees import balanced, chain, random_tree
from scipy.cluster.hierarchy import linkage

from skl2h import L2HClustering, MergeTree, merge_evidence, surprises
from skl2h.datasets import make_hierarchical_logits
from skl2h.metrics import triplet_accuracy

LABELS = [
    [0, 0, 1, 1, 1],
    [0, 1, 0, 1, 2],
    [0, 0, 0, 0, 0],
    [0, 1, 2, 3, 4],
    [[0, 0], [0, 0], [0, 1], [1, 2], [1, 2]],
    [[0, 0], [0, 0], [0, 1], [0, 1], [0, 1]],
]


def sets_of(reference, n_leaves):
    """Groups of a reference as sets of leaves."""
    everything = [frozenset(range(n_leaves))]
    if isinstance(reference, MergeTree):
        nodes = range(reference.n_leaves, reference.n_nodes)
        return everything + [frozenset(reference.members(node).tolist()) for node in nodes]
    columns = np.asarray(reference).reshape(n_leaves, -1).T
    return everything + [
        frozenset(np.flatnonzero(column == label).tolist())
        for column in columns
        for label in np.unique(column)
    ]


def gaps_by_hand(tree, reference):
    """Of each merge that contradicts the reference, the gap."""
    groups = sets_of(reference, tree.n_leaves)
    gaps = {}
    for node, pair in enumerate(tree.children, tree.n_leaves):
        a, b = (frozenset(tree.members(child).tolist()) for child in pair)
        of_both = min((group for group in groups if a | b <= group), key=len)
        for one, other in ((a, b), (b, a)):
            kin = min((group for group in groups if one < group), key=len)
            if not kin & other:
                gap = 1 - len(kin) / len(of_both)
                gaps[node] = max(gap, gaps.get(node, 0))
    return gaps


def check(tree, reference):
    found = surprises(tree, reference)
    expected = gaps_by_hand(tree, reference)
    assert dict(zip(found.nodes.tolist(), found.gaps.tolist())) == pytest.approx(expected)
    assert found.strengths.tolist() == found.gaps.tolist()
    order = sorted(expected, key=lambda node: (-round(expected[node], 12), node))
    assert found.nodes.tolist() == order


@pytest.mark.parametrize("labels", LABELS, ids=str)
@for_every(TREES)
def test_labels(merges, labels):
    check(MergeTree(merges), labels)


@for_every(TREES[::12])
def test_trees(merges):
    tree = MergeTree(merges)
    for reference in TREES[::7]:
        check(tree, MergeTree(reference))


@pytest.mark.parametrize("seed", range(20))
def test_random_trees_and_nested_labels(seed):
    rng = np.random.default_rng(seed)
    n_leaves = int(rng.integers(2, 40))
    tree, other = random_tree(n_leaves, rng), random_tree(n_leaves, rng)
    check(tree, other)
    assert str(surprises(tree, other.to_linkage())) == str(surprises(tree, other))
    fine = rng.integers(0, 12, n_leaves)
    check(tree, np.column_stack([fine, fine % 4, fine % 2]))


@for_every(TREES[::5])
def test_nothing_contradicts_itself_and_a_cut_of_it(merges):
    tree = MergeTree(merges)
    assert len(surprises(tree, tree)) == 0
    assert len(surprises(tree, tree.cut([2, 3, 4]))) == 0


@pytest.mark.parametrize("labels", LABELS, ids=str)
@for_every(TREES[::5])
def test_a_tree_without_surprises_agrees_with_every_class(merges, labels):
    """No surprises, no wrong triple; and the other way round."""
    tree = MergeTree(merges)
    accuracy = triplet_accuracy(tree, labels)
    assert (len(surprises(tree, labels)) == 0) == (np.isnan(accuracy) or accuracy == 1)


@pytest.mark.parametrize("method", ["l2h", "affinity"])
@pytest.mark.parametrize("seed", range(10))
def test_a_leaf_that_was_moved_is_the_strongest_surprise(seed, method):
    """Of a planted tree, one leaf stands elsewhere in the reference: its merge is named first."""
    logits, _, planted = make_hierarchical_logits(3000, 16, separation=3.0, random_state=seed)
    model = L2HClustering("precomputed", method=method).fit(logits)
    evidence = merge_evidence(model, logits)
    labels = planted.cut(4)
    moved = seed
    labels[moved] = (labels[moved] + 1) % 4
    found = surprises(model, labels, evidence=evidence)
    first = model.tree_.children[found.nodes[0] - 16]
    assert moved in np.concatenate([model.tree_.members(node) for node in first])
    assert model.tree_.sizes[found.nodes[0]] == 2
    assert found.strengths[0] > 0.3
    assert len(surprises(model, planted.cut(4), evidence=evidence)) == 0
    assert np.array_equal(found.evidence.nodes, found.nodes)
    places = found.nodes - 16
    shares = evidence.shares if method == "l2h" else np.maximum(*evidence.sent.T)
    expected = found.gaps * shares[places] * evidence.margins[places]
    np.testing.assert_allclose(found.strengths, expected)
    assert (np.diff(found.strengths) <= 0).all()


@pytest.mark.parametrize("seed", range(5))
def test_strengths_do_not_hang_on_the_order_of_columns(seed):
    """Of an affinity tree, of which the two sides of a merge are in no order of their own."""
    logits, labels = clear_logits(seed), np.arange(14) // 4
    order = np.random.default_rng(seed).permutation(14)
    found = []
    for columns in (np.arange(14), order):
        model = L2HClustering("precomputed", method="affinity").fit(logits[:, columns])
        evidence = merge_evidence(model, logits[:, columns])
        one = surprises(model, labels[columns], evidence=evidence)
        members = [frozenset(columns[model.tree_.members(node)].tolist()) for node in one.nodes]
        found.append(dict(zip(members, one.strengths.tolist())))
    assert len(found[0]) > 2
    assert found[0] == pytest.approx(found[1], rel=1e-6)


@pytest.mark.parametrize("method", ["l2h", "affinity"])
def test_text_and_table(method):
    pandas = pytest.importorskip("pandas")
    logits, _, planted = make_hierarchical_logits(500, 8, random_state=0)
    model = L2HClustering("precomputed", method=method).fit(logits)
    labels = planted.cut(2)
    labels[0] = 1 - labels[0]
    bare = surprises(model, labels)
    assert str(bare).startswith(f"{bare.strengths[0]:.3f} node {bare.nodes[0]}: ")
    assert bare.to_pandas().columns.tolist() == ["strength", "gap"]
    found = surprises(model, labels, evidence=merge_evidence(model, logits))
    lines = str(found).split("\n")
    assert len(lines) == len(found)
    assert lines[0] == f"{found.strengths[0]:.3f} {found.evidence.lines()[0]}"
    table = found.to_pandas()
    assert isinstance(table, pandas.DataFrame)
    assert table.index.tolist() == found.nodes.tolist()
    assert table["margin"].tolist() == found.evidence.margins.tolist()


def test_groups_without_rows_and_other_rows_have_no_strength():
    """What no row speaks for, or what rows speak against, is last."""
    for seed in (0, 1, 7):
        rng = np.random.default_rng(seed)
        logits = rng.standard_normal((200, 12)) * 3
        logits[:, :3] -= 30
        model = L2HClustering("precomputed").fit(logits)
        evidence = merge_evidence(model, logits + rng.standard_normal((200, 12)) * 2)
        found = surprises(model, np.arange(12) % 3, evidence=evidence)
        behind = (found.evidence.margins > 0) & (found.evidence.shares > 0)
        assert "soft" in found.evidence.kinds
        assert (found.evidence.margins < 0).any()
        assert 0 < behind.sum() < len(found)
        assert behind.tolist() == sorted(behind, reverse=True)
        assert (found.strengths[behind] > 0).all()
        assert (found.strengths[~behind] == 0).all()


@pytest.mark.parametrize("n_leaves", [1, 2])
def test_few_leaves(n_leaves):
    tree = MergeTree([(0, 1)][: n_leaves - 1])
    for reference in (tree, list(range(n_leaves)), [0] * n_leaves):
        found = surprises(tree, reference)
        assert len(found) == 0
        assert str(found) == ""


def test_20_000_leaves():
    """A chain and a balanced tree, against each other and against classes."""
    n_leaves = 20_000
    deep, flat = chain(n_leaves), balanced(n_leaves)
    classes = np.arange(n_leaves) // 10
    assert len(surprises(deep, classes)) == n_leaves // 10 - 1  # each class but the first
    assert len(surprises(flat, deep)) > 0
    assert len(surprises(deep, flat)) > 0


TREE = MergeTree([(0, 1), (3, 2)])
MODEL = L2HClustering("precomputed").fit(2 * np.eye(3))
EVIDENCE = merge_evidence(MODEL, 2 * np.eye(3))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((TREE, [0, 1]), ValueError, "A reference over 3 leaves is"),
        ((TREE, MergeTree([(0, 1)])), ValueError, "over different leaves"),
        ((TREE, linkage(np.eye(5))), ValueError, "A reference over 3 leaves is"),
        (("tree", [0, 1, 1]), TypeError, "A MergeTree or a fitted estimator is needed"),
        ((TREE, [0, 1, 1], "margin"), TypeError, "evidence is what merge_evidence gives, got"),
        ((TREE, [0, 1, 1], EVIDENCE), ValueError, "that of all 2 merges of this tree"),
        ((MODEL, [0, 1, 1], EVIDENCE.take([0])), ValueError, "that of all 2 merges"),
    ],
    ids=["labels", "tree", "linkage", "no tree", "no evidence", "other tree", "some merges"],
)
def test_bad_input(arguments, error, message):
    tree, reference, *evidence = arguments
    with pytest.raises(error, match=message):
        surprises(tree, reference, evidence=evidence[0] if evidence else None)
