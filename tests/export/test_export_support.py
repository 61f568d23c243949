"""Exports show the support of a tree that has it, and other trees are exported as before."""

import csv
import io
import json

import dendropy
import numpy as np
import pytest
from helpers.orders import TREES, for_every
from helpers.pages import Page
from helpers.trees import oddly_named_tree

from skl2h import MergeTree
from skl2h.export import (
    export_csv,
    export_html,
    export_json,
    export_networkx,
    export_newick,
    export_pandas,
    export_text,
    from_json,
    from_newick,
)

TREE = MergeTree(
    [(0, 2), (1, 3)], scores=[0.5, 0.75], names=["cat", "car", "dog"], support=[2 / 3, 1]
)
NAMES = ["a b", "c_d", "", "e'f", "(g)"]


def supported(tree, seed=0):
    """The tree, with support of many digits, and of 0 and 1."""
    support = np.random.default_rng(seed).choice([0, 1, 1 / 3, 0.07, 1e-7, 0.5], tree.n_leaves - 1)
    return tree.with_support(support)


def by_clade(tree):
    return {
        frozenset(tree.names[leaf] for leaf in tree.members(node)): share
        for node, share in enumerate(tree.support, tree.n_leaves)
    }


@pytest.mark.parametrize("heights", ["rank", "score", None])
@for_every(TREES)
def test_dendropy_reads_support_as_the_labels_of_merges(merges, heights):
    tree = supported(MergeTree(merges, scores=[0.5, 1, 2, 3], names=NAMES))
    text = export_newick(tree, heights=heights, node_labels="support")
    read = dendropy.Tree.get(
        data=text, schema="newick", suppress_leaf_node_taxa=True, suppress_internal_node_taxa=True
    )
    found = {
        frozenset(leaf.label for leaf in node.leaf_nodes()): float(node.label)
        for node in read.preorder_internal_node_iter()
    }
    assert found == by_clade(tree)


@pytest.mark.parametrize("heights", ["rank", "score", None])
@pytest.mark.parametrize("seed", range(20))
def test_newick_round_trip(seed, heights):
    tree = oddly_named_tree(seed)
    tree = supported(tree.with_names([f"{i} {name}" for i, name in enumerate(tree.names)]), seed)
    text = export_newick(tree, heights=heights, node_labels="support")
    read = from_newick(text, leaves=tree.names, node_labels="support")
    assert by_clade(read) == by_clade(tree)
    assert from_newick(text).support is None
    if heights == "rank":
        assert np.array_equal(read.support, tree.support)


@pytest.mark.parametrize(
    ("text", "support"),
    [
        ("((a,b)0.5,c);", [0.5, 1]),
        ("((a:1,b:1)1e-2:1,c:2)1:3;", [0.01, 1]),
        ("((a,b)'0.5',(c,d).25[x])0.9;", [0.5, 0.25, 0.9]),
        ("((a:3,b:3)0.5:2,(c:1,d:1)0.25:4);", [0.25, 0.5, 1]),
        ("(a,b);", [1]),
        ("a;", []),
    ],
)
def test_support_of_other_programs(text, support):
    """It is in the order of the merges, and only the root may lack it."""
    assert from_newick(text, node_labels="support").support.tolist() == support


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("((a,b),\nc);", "line 1, column 7: this node has no support"),
        ("((a:1,b:1)'':1,c:1);", "line 1, column 11: this node has no support"),
        ("((a,b)x,c);", "line 1, column 7: 'x' is no support"),
        ("((a,b)nan,c);", "line 1, column 7: 'nan' is no support"),
        ("((a,\nb)97,c);", r"line 2, column 3: the support 97 is not a share .*percentage"),
        ("((a,b)-0.1,c);", "line 1, column 7: the support -0.1 is not a share"),
        ("((a,b)0.5,c)all;", "line 1, column 13: 'all' is no support"),
    ],
)
def test_labels_that_are_no_support(text, message):
    with pytest.raises(ValueError, match=f"^Newick, {message}"):
        from_newick(text, node_labels="support")


@pytest.mark.parametrize("node_labels", ["scores", 1, None, ["support"]], ids=repr)
def test_node_labels_are_checked(node_labels):
    with pytest.raises(ValueError, match=r"node_labels must be True, False or 'support', got"):
        export_newick(TREE, node_labels=node_labels)


@pytest.mark.parametrize("node_labels", ["scores", True, ["support"]], ids=repr)
def test_node_labels_that_are_read_are_checked(node_labels):
    with pytest.raises(ValueError, match=r"node_labels must be 'support' or None, got"):
        from_newick("(a,b);", node_labels=node_labels)


def test_no_support_to_write():
    with pytest.raises(ValueError, match="This tree has no support: bootstrap_support gives"):
        export_newick(TREE.with_support(None), node_labels="support")


@pytest.mark.parametrize("nested", [True, False])
@pytest.mark.parametrize("seed", range(5))
def test_json_round_trip(seed, nested):
    tree = supported(oddly_named_tree(seed), seed)
    assert from_json(export_json(tree, nested=nested)) == tree


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"n_leaves": 2, "children": [[0, 1]], "support": [2]}', r"support\[0\] is 2.0, not a"),
        ('{"n_leaves": 2, "children": [[0, 1]], "support": 1}', "support is not a list"),
        ('{"n_leaves": 2, "children": [[0, 1]], "support": ["1"]}', r"support\[0\] is '1', not a"),
    ],
)
def test_json_with_bad_support(text, message):
    with pytest.raises(ValueError, match=message):
        from_json(text)


def test_tables_and_graph():
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("networkx")
    rows = list(csv.DictReader(io.StringIO(export_csv(TREE))))
    assert [row["support"] for row in rows] == ["", "", "", str(2 / 3), "1.0"]
    table = export_pandas(TREE)
    assert table["support"].dtype == np.float64
    expected = pandas.Series([np.nan] * 3 + [2 / 3, 1], name="support", index=table.index)
    pandas.testing.assert_series_equal(table["support"], expected)
    graph = export_networkx(TREE)
    assert dict(graph.nodes(data="support")) == dict(enumerate([None] * 3 + [2 / 3, 1]))
    assert "support" not in graph.nodes[0]


def test_text():
    assert export_text(TREE, decimals=2).split("\n") == [
        "node 4: 3 leaves, score 0.75, support 1.00",
        "|-- car",
        "`-- node 3: 2 leaves, score 0.50, support 0.67",
        "    |-- cat",
        "    `-- dog",
    ]


def test_page():
    assert Page(export_html(TREE)).data()["support"] == [2 / 3, 1]


@pytest.mark.parametrize(
    "export",
    [
        export_text,
        export_csv,
        export_json,
        lambda tree: export_json(tree, nested=False),
        lambda tree: json.dumps(Page(export_html(tree)).data()),
        export_newick,
    ],
)
def test_a_tree_without_support_says_nothing_of_it(export):
    assert "support" not in export(TREE.with_support(None))
