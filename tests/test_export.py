"""Exports say what the tree says, whatever the names."""

import csv
import io
import json

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.exceptions import NotFittedError

from skl2h import L2HClustering, MergeTree
from skl2h.export import export_csv, export_json, export_text

NAMES = ['a "b"', "c, d", "e\nf", "", "\u00e9\u4e2d", "<script>", "a\tb", "x\ry"]
MERGES = [(0, 3), (1, 2), (8, 4), (9, 10), (5, 6), (12, 7), (11, 13)]
TREE = MergeTree(MERGES, scores=np.arange(7) / 3, names=NAMES, counts=range(8))
BARE = MergeTree(MERGES)


@pytest.mark.parametrize("tree", [TREE, BARE], ids=["full", "bare"])
def test_csv_is_read_back(tree):
    table = list(csv.DictReader(io.StringIO(export_csv(tree, levels=[1, 3, 8]), newline="")))
    assert len(table) == tree.n_nodes
    assert [row["name"] for row in table[:8]] == list(tree.names)
    merges = [[int(row["child_1"]), int(row["child_2"])] for row in table[8:]]
    assert merges == tree.children.tolist()
    assert [int(row["parent"] or -1) for row in table] == tree.parents.tolist()
    assert [int(row["n_leaves"]) for row in table] == tree.sizes.tolist()
    if tree is TREE:
        assert [float(row["score"]) for row in table[8:]] == tree.scores.tolist()
        assert [int(row["rows"]) for row in table] == tree.node_counts.tolist()
    for level in (1, 3, 8):
        groups = tree.cut(level)
        for node, row in enumerate(table):
            inside = set(groups[tree.members(node)].tolist())
            assert row[f"level_{level}"] == (str(inside.pop()) if len(inside) == 1 else "")


@pytest.mark.parametrize("tree", [TREE, BARE], ids=["full", "bare"])
def test_json_is_read_back(tree):
    fields = json.loads(export_json(tree, levels=[2, 8]))
    cuts = fields.pop("cuts")
    assert fields.pop("n_leaves") == 8
    assert MergeTree(fields.pop("children"), **fields) == tree
    assert {int(level): groups for level, groups in cuts.items()} == {
        level: tree.cut(level).tolist() for level in (2, 8)
    }


@pytest.mark.parametrize("tree", [TREE, BARE], ids=["full", "bare"])
def test_text_has_one_line_a_node_in_leaf_order(tree):
    lines = export_text(tree).split("\n")
    assert len(lines) == tree.n_nodes
    depth = [len(line) - len(line.lstrip("|`- ")) for line in lines]
    expected = [4 * (len(tree.path(node)) - 1) for node in preorder(tree)]
    assert depth == expected
    if tree is TREE:
        assert "node 14: 8 leaves, 28 rows, score 2.000" in lines[0]
        assert any(line.endswith("'e\\nf' (2 rows)") for line in lines)
        assert any(line.endswith("'' (3 rows)") for line in lines)
        assert any(line.endswith("c, d (1 row)") for line in lines)


def preorder(tree):
    waiting, seen = [tree.n_nodes - 1], []
    while waiting:
        seen.append(waiting.pop())
        if seen[-1] >= tree.n_leaves:
            waiting += tree.children[seen[-1] - tree.n_leaves][::-1].tolist()
    return seen


def test_text_shows_whole_counts():
    assert "1234567 rows" in export_text(MergeTree([(0, 1)], counts=[1234560, 7]))


def test_text_of_one_leaf():
    assert export_text(MergeTree([], names=["all"])) == "all"


@pytest.mark.parametrize("export", [export_csv, export_json, export_text])
class TestFirstArgument:
    def test_a_fitted_estimator_is_its_tree(self, export):
        model = L2HClustering(KMeans(3, random_state=0)).fit(np.eye(9))
        assert export(model) == export(model.tree_)

    def test_an_unfitted_estimator_is_refused(self, export):
        with pytest.raises(NotFittedError, match="not fitted yet"):
            export(L2HClustering(KMeans(3)))

    def test_anything_else_is_refused(self, export):
        with pytest.raises(TypeError, match="A MergeTree or a fitted L2HClustering is needed"):
            export([(0, 1)])


@pytest.mark.parametrize("export", [export_csv, export_json])
def test_levels_are_checked(export):
    with pytest.raises(ValueError, match="There is no level 9"):
        export(TREE, levels=[9])
