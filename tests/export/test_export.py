"""Exports say what the tree says, whatever the names."""

import csv
import io
import json
import sys

import numpy as np
import pytest
from helpers.orders import TREES, for_every
from helpers.pages import Page
from helpers.trees import balanced, chain, oddly_named_tree, random_tree
from scipy.cluster.hierarchy import cut_tree, fcluster, is_monotonic, is_valid_linkage
from sklearn.cluster import AgglomerativeClustering, KMeans
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skl2h import L2HClustering, MergeTree
from skl2h.export import (
    export_csv,
    export_html,
    export_json,
    export_networkx,
    export_newick,
    export_pandas,
    export_text,
    from_json,
)

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
def test_flat_json_says_what_the_tree_says(tree):
    fields = json.loads(export_json(tree, nested=False, levels=[2, 8]))
    cuts = fields.pop("cuts")
    assert fields.pop("n_leaves") == 8
    assert MergeTree(fields.pop("children"), **fields) == tree
    assert {int(level): groups for level, groups in cuts.items()} == {
        level: tree.cut(level).tolist() for level in (2, 8)
    }


@pytest.mark.parametrize("tree", [TREE, BARE], ids=["full", "bare"])
def test_nested_json_says_what_the_tree_says(tree):
    def expected(node):
        data = {"id": node, "name": tree.names[node] if node < 8 else f"node {node}"}
        for level in (1, 3, 8):
            inside = set(tree.cut(level)[tree.members(node)].tolist())
            if len(inside) == 1:
                data[f"level_{level}"] = inside.pop()
        if node < 8:
            return data if tree is BARE else data | {"value": node}
        if tree is TREE:
            data["score"] = (node - 8) / 3
        return data | {"children": [expected(below) for below in MERGES[node - 8]]}

    assert json.loads(export_json(tree, levels=[1, 3, 8])) == expected(14)


def test_d3_sums_to_the_rows_of_each_merge():
    """The sum of ``value`` at and below a node, as ``d3.hierarchy(data).sum`` computes it."""

    def check(data):
        total = data.get("value", 0) + sum(map(check, data.get("children", [])))
        assert total == TREE.node_counts[data["id"]]
        return total

    assert check(json.loads(export_json(TREE))) == 28


def check_that_networkx_reads(tree):
    """JSON and graph have the same nodes, edges in order, leaves below nodes, and attributes."""
    networkx = pytest.importorskip("networkx")
    read = networkx.readwrite.json_graph.tree_graph(json.loads(export_json(tree)))
    graph = export_networkx(tree)
    assert networkx.is_arborescence(graph)
    assert sorted(read.nodes) == list(graph.nodes) == list(range(tree.n_nodes))
    for node in graph:
        children = tree.children[node - tree.n_leaves].tolist() if node >= tree.n_leaves else []
        assert list(read.successors(node)) == list(graph.successors(node)) == children
        assert list(graph.predecessors(node)) == [n for n in [tree.parents[node]] if n >= 0]
        below = networkx.descendants(read, node) | {node}
        assert sorted(below & set(range(tree.n_leaves))) == tree.members(node).tolist()
        assert read.nodes[node].get("score") == graph.nodes[node].get("score")
    for leaf, name in enumerate(tree.names):
        assert read.nodes[leaf]["name"] == graph.nodes[leaf]["name"] == name
        assert read.nodes[leaf].get("value") == graph.nodes[leaf].get("rows")


@for_every(TREES)
def test_networkx_reads_every_order_of_merges(merges):
    for sides in (merges, [pair[::-1] for pair in merges]):
        check_that_networkx_reads(
            MergeTree(sides, scores=[1, 2, 3, 4], names=["'", '"', "\n", "", ""])
        )


@pytest.mark.parametrize("seed", range(3))
def test_networkx_reads_larger_trees(seed):
    check_that_networkx_reads(oddly_named_tree(seed, 200))


@pytest.mark.parametrize("seed", range(20))
def test_csv_keeps_any_name(seed):
    tree = oddly_named_tree(seed)
    _, *lines = csv.reader(io.StringIO(export_csv(tree), newline=""))
    assert tuple(line[1] for line in lines[:30]) == tree.names


FORMULAS = [
    "=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", "\uff1d1", "-", "'=1", "'",
    "''", '=HYPERLINK("x","y")', "=1;2,3",
]  # fmt: skip
HARMLESS = ["", "a", " a", "a=1", "1-2", "\u2212", "a'b", ",", '"', "\x00", "\ufeff"]


def test_no_cell_of_safe_csv_is_a_formula():
    names = FORMULAS + HARMLESS
    merges = MergeTree([(0, 1), *((len(names) + t, t + 2) for t in range(len(names) - 2))])
    tree = MergeTree(merges.children, names=names, scores=-np.arange(len(names) - 1.0))
    _, *safe = csv.reader(io.StringIO(export_csv(tree, safe=True, levels=[2]), newline=""))
    _, *plain = csv.reader(io.StringIO(export_csv(tree, levels=[2]), newline=""))
    found = [line[1] for line in safe[: len(names)]]
    assert found == [f"'{name}" for name in FORMULAS] + HARMLESS
    assert tuple(name.removeprefix("'") for name in found) == tree.names
    # The rest are numbers, some of them negative.
    assert [line[:1] + line[2:] for line in safe] == [line[:1] + line[2:] for line in plain]
    assert [line[1] for line in plain[: len(names)]] == names


@pytest.mark.parametrize("safe", [1, None, "yes"])
def test_safe_is_a_flag(safe):
    with pytest.raises(TypeError, match="safe must be True or False, got"):
        export_csv(TREE, safe=safe)


@pytest.mark.parametrize("tree", [TREE, BARE], ids=["full", "bare"])
def test_tables_say_the_same(tree):
    pytest.importorskip("networkx")
    pandas = pytest.importorskip("pandas")
    table = export_pandas(tree, levels=[1, 3, 8])
    lines = list(csv.reader(io.StringIO(export_csv(tree, levels=[1, 3, 8]), newline="")))
    assert [table.index.name, *table.columns] == lines[0]
    assert table["name"][:8].tolist() == list(tree.names)
    for node, line in enumerate(lines[1:]):
        values = [node, *table.loc[node]]
        shown = ["" if pandas.isna(value) else str(value) for value in values]
        assert shown == [
            cell if at != 5 or not cell else str(float(cell)) for at, cell in enumerate(line)
        ]
    for node, attributes in export_networkx(tree, levels=[1, 3, 8]).nodes(data=True):
        having = table.loc[node].drop(["parent", "child_1", "child_2"]).dropna()
        assert attributes == having.to_dict()
        json.dumps(attributes)  # no NumPy scalars
    assert table["parent"].dropna().tolist() == tree.parents[:-1].tolist()


@pytest.mark.parametrize("counts", [[1, 2, 3], [0.5, 2, 3]])
def test_pandas_keeps_the_dtypes(counts):
    pytest.importorskip("pandas")
    tree = MergeTree([(0, 1), (3, 2)], scores=[1, 2], counts=counts)
    dtypes = export_pandas(tree, levels=[2]).dtypes.astype(str).to_dict()
    assert dtypes == {
        "name": "object", "parent": "Int64", "child_1": "Int64", "child_2": "Int64",
        "score": "float64", "n_leaves": "int64", "rows": str(tree.counts.dtype),
        "level_2": "Int64",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("method", "word"), [("l2h", "score"), (None, "score"), ("affinity", "height")]
)
def test_the_scores_of_an_affinity_tree_are_called_heights(method, word):
    """Where people read them. Programs find them under one name in all trees."""
    tree = MergeTree([(0, 2), (1, 3)], scores=[0.5, 0.75], names="abc", method=method)
    plain = MergeTree([(0, 2), (1, 3)], scores=[0.5, 0.75], names="abc")
    lines = export_text(tree).split("\n")
    assert [line for line in lines if "leaves" in line] == [
        f"node 4: 3 leaves, {word} 0.750",
        f"`-- node 3: 2 leaves, {word} 0.500",
    ]
    assert Page(export_html(tree)).data()["word_for_scores"] == word
    assert export_csv(tree) == export_csv(plain)
    assert export_pandas(tree).equals(export_pandas(plain))
    assert export_newick(tree, heights="rank") == export_newick(plain)


@pytest.mark.parametrize("nested", [True, False], ids=["nested", "flat"])
class TestJsonRoundTrip:
    @pytest.mark.parametrize("seed", range(50))
    def test_everything_survives(self, seed, nested):
        tree = oddly_named_tree(seed)
        text = export_json(tree, nested=nested, levels=[1, 7, 30])
        assert text.isascii()
        assert from_json(text) == tree
        for bare in (
            MergeTree(tree.children, names=tree.names),
            MergeTree(tree.children, scores=-tree.scores),
            MergeTree(tree.children, counts=tree.counts / 3),
        ):
            assert from_json(export_json(bare, nested=nested)) == bare

    @for_every(TREES)
    def test_every_order_of_merges(self, merges, nested):
        for sides in (merges, [pair[::-1] for pair in merges]):
            tree = MergeTree(sides)
            assert from_json(export_json(tree, nested=nested)) == tree

    def test_one_leaf(self, nested):
        tree = MergeTree([], names=[""], counts=[3])
        assert from_json(export_json(tree, nested=nested)) == tree

    @pytest.mark.parametrize("method", ["l2h", "affinity", None])
    @pytest.mark.parametrize("n_leaves", [1, 2, 30])
    def test_method(self, method, n_leaves, nested):
        """Written if the tree has it, for the tree as a whole; files without it are read too."""
        tree = random_tree(n_leaves, 0, method=method)
        text = export_json(tree, nested=nested)
        assert text.count("method") == (method is not None)
        assert json.loads(text).get("method") == method
        assert from_json(text).method == method


FLAT = {"n_leaves": 3, "children": [[0, 1], [2, 3]]}
LEAVES = [{"id": leaf, "name": "a"} for leaf in range(3)]
NESTED = {"id": 4, "children": [LEAVES[2], {"id": 3, "children": LEAVES[:2]}]}
BAD_JSON = {
    "no JSON": ("{", "This is no JSON: Expecting property name"),
    "empty": ("", "This is no JSON: Expecting value: line 1 column 1"),
    "only a mark": ("\ufeff", "This is no JSON: Expecting value: line 1 column 1"),
    "a number": (7, "is not that of a tree: an object with `id` (nested) or `n_leaves` (flat)"),
    "another object": ({"name": "x"}, "an object with `id` (nested) or `n_leaves` (flat)"),
    "no merges": ({"n_leaves": 3}, "children is not a list"),
    "merges of three": (FLAT | {"children": [[0, 1, 2]]}, "children[0] is not a list of two"),
    "merges of words": (FLAT | {"children": [["0", "1"]]}, "children[0][0] is '0', not an integ"),
    "merges of truth": (FLAT | {"children": [[1, True]]}, "children[0][1] is True, not an integer"),
    "fractions": (FLAT | {"children": [[0, 1], [2.0, 3]]}, "children[1][0] is 2.0, not an integer"),
    "no node": (FLAT | {"children": [[None, 1], [2, 3]]}, "children[0][0] is None, not an integer"),
    "number as text": (FLAT | {"n_leaves": "3"}, "n_leaves is '3', not an integer"),
    "number as float": (FLAT | {"n_leaves": 3.0}, "n_leaves is 3.0, not an integer"),
    "another number": (FLAT | {"n_leaves": 4}, "n_leaves is 4, but its merges join 3"),
    "twice": (FLAT | {"children": [[0, 1], [0, 3]]}, "Node 0 is merged more than once"),
    "names": (FLAT | {"names": ["a", "b", 3]}, "names[2] is 3, not a text"),
    "a name": (FLAT | {"names": "abc"}, "names is not a list"),
    "few names": (FLAT | {"names": ["a"]}, "1 names were given for 3 leaves"),
    "scores": (FLAT | {"scores": [1, "0.5"]}, "scores[1] is '0.5', not a finite number"),
    "score lists": (FLAT | {"scores": [[1], 2]}, "scores[0] is [1], not a finite number"),
    "no score": (FLAT | {"scores": [None, 2]}, "scores[0] is None, not a finite number"),
    "score of truth": (FLAT | {"scores": [1, True]}, "scores[1] is True, not a finite number"),
    "few scores": (FLAT | {"scores": []}, "scores must have the shape (2,)"),
    "count of text": (FLAT | {"counts": [1, 2, "3"]}, "counts[2] is '3', not a finite number"),
    "no count": (FLAT | {"counts": [None, 2, 3]}, "counts[0] is None, not a finite number"),
    "huge score": (FLAT | {"scores": [10**350, 1]}, "scores[0] is an integer of 1163 bits, not"),
    "huge count": (FLAT | {"counts": [10**350, 1, 1]}, "counts[0] is an integer of 1163 bits, not"),
    "digits without end": (f'{{"n_leaves": {"9" * 10**6}, "children": []}}', "n_leaves is inf, n"),
    "infinite": (FLAT | {"scores": [1, -np.inf]}, "scores[1] is -inf, not a finite number"),
    "a key twice": ('{"n_leaves": 1, "n_leaves": 2}', "an object has the key 'n_leaves' twice"),
    "a key deep down twice": (
        '{"id": 0, "name": "a", "more": [{"b": 1, "b": 2}]}', "an object has the key 'b' twice"
    ),
    "long keys": (f'{{"{"k" * 10**6}": 1, "{"k" * 10**6}": 2}}', "an object has the key 'kkk"),
    "long names": (FLAT | {"names": [["n" * 10**6], "b", "c"]}, "names[0] is ['nnn"),
    "long child": ({"id": 2, "children": [LEAVES[0], "c" * 10**6]}, "a child of node 2 is 'ccc"),
    "large counts": (FLAT | {"counts": [2**62, 2**62, 0]}, "counts add up to more than 92"),
    "deep score": (FLAT | {"scores": [1, [[[[[[[[9]]]]]]]]]}, "scores[1] is [[[[[[[...]]]]]]]"),
    "counts": (FLAT | {"counts": [1, 2, -3]}, "counts[2] is negative"),
    "nan": (FLAT | {"scores": [1, np.nan]}, "scores[1] is nan, not a finite number"),
    "leaf in a list": ({"id": 4, "children": [LEAVES[0], 1]}, "a child of node 4 is 1, not an obj"),
    "id of text": (NESTED | {"id": "4"}, "the `id` of the root is '4', not an integer"),
    "id of truth": (NESTED | {"id": True}, "the `id` of the root is True, not an integer"),
    "id of float": (
        {"id": 2, "children": [LEAVES[0], {"id": 1.0}]},
        "the `id` of a child of node 2 is 1.0, not an integer",
    ),
    "no id": ({"id": 2, "children": [LEAVES[0], {"name": "a"}]}, "a child of node 2 has no `id`"),
    "same id": (NESTED | {"id": 0}, "two nodes have the id 0"),
    "other id": (NESTED | {"id": 9}, "the ids of its 3 leaves are not 0 to 2, or those of its 2"),
    "one child": (NESTED | {"children": LEAVES[:1]}, "the `children` of node 4 are not a list of"),
    "children": (NESTED | {"children": "ab"}, "the `children` of node 4 are not a list of two"),
    "no name": ({"id": 0}, "node 0 has no `name`."),
    "null as name": ({"id": 0, "name": None}, "the `name` of node 0 is None, not a text"),
    "one without a name": (
        {"id": 2, "children": [LEAVES[0], {"id": 1}]}, "node 1 has no `name`, others have"
    ),
    "some scores": (NESTED | {"score": 1}, "node 3 has no `score`, others have"),
    "too large": (FLAT | {"children": [[0, 1], [2, 10**30]]}, "children[1][1] is 10000000000000"),
    "method": (FLAT | {"method": "ward"}, "method must be 'l2h', 'affinity' or None, got 'ward'"),
    "method of list": (FLAT | {"method": ["l2h"]}, "'affinity' or None, got ['l2h']"),
    "long method": (FLAT | {"method": "m" * 10**6}, "method must be 'l2h', 'affinity' or None"),
    "method of nested": (
        {"id": 0, "name": "a", "method": 1}, "method must be 'l2h', 'affinity' or None, got 1"
    ),
    "an object as score": (
        {"id": 2, "score": {}, "children": LEAVES[:2]}, "the `score` of node 2 is {}, not a finite"
    ),
    "value of truth": (
        {"id": 2, "children": [LEAVES[0] | {"value": 1}, LEAVES[1] | {"value": True}]},
        "the `value` of node 1 is True, not a finite number",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_JSON)
def test_faults_of_json_are_told(name):
    data, message = BAD_JSON[name]
    text = data if isinstance(data, str) else json.dumps(data)
    with pytest.raises(ValueError, match=r"^This") as error:
        from_json(text)
    assert message in str(error.value)
    assert len(str(error.value)) <= 200


def test_whole_numbers_of_json_may_be_large():
    """Other programs write floats without a point."""
    tree = from_json(json.dumps(FLAT | {"scores": [1, 10**20], "counts": [1, 10**20, 2]}))
    assert tree.scores.tolist() == [1, 1e20]
    assert tree.counts.tolist() == [1, 1e20, 2]


@pytest.mark.parametrize("nested", [True, False])
def test_json_may_begin_with_a_byte_order_mark(nested):
    assert from_json("\ufeff" + export_json(TREE, nested=nested)) == TREE


def test_json_is_text():
    with pytest.raises(TypeError, match="read from a str, got dict"):
        from_json({})


def test_json_that_is_too_deep_is_told():
    tree = chain(20_000)
    text = export_json(tree)
    with pytest.raises(ValueError, match=r"too deeply to be read: .*nested=False"):
        from_json(text)
    assert from_json(export_json(tree, nested=False)) == tree


def test_json_as_deep_as_documented_is_read():
    n_merges = sys.getrecursionlimit() // 2 - 100  # less what the tests are deep themselves
    tree = chain(n_merges + 1, first=False)
    assert from_json(export_json(tree)) == tree


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


def test_extreme_scores_stay_on_their_line():
    tree = MergeTree([(0, 1), (2, 3)], scores=[-1e308, 9.9e15])
    assert export_text(tree, decimals=1).split("\n")[0] == (
        "node 4: 3 leaves, score 9900000000000000.0"
    )
    assert "score -1.0e+308" in export_text(tree, decimals=1)


def test_text_of_one_leaf():
    assert export_text(MergeTree([], names=["all"])) == "all"


def depth_and_text(line):
    """The depth and text of a node's line, by the rules of the docstring."""
    start = len(line) - len(line.lstrip("|`- "))
    if start < 64 or not line[start:].startswith("["):
        return start // 4, line[start:]
    depth, text = line[start + 1 :].split("] ", 1)
    return int(depth), text


@pytest.mark.parametrize("n_leaves", [17, 18, 19, 60])
@pytest.mark.parametrize("first", [True, False])
def test_text_of_a_deep_tree_tells_the_tree(n_leaves, first):
    """Lines in preorder with their depths are a tree: it is the tree."""
    tree = chain(n_leaves, first=first)
    found = [depth_and_text(line) for line in export_text(tree).split("\n")]
    nodes = preorder(tree)
    assert [depth for depth, _ in found] == [len(tree.path(node)) - 1 for node in nodes]
    names = [f"node {node}: {tree.sizes[node]} leaves" for node in range(n_leaves, tree.n_nodes)]
    assert [text for _, text in found] == [[*map(str, range(n_leaves)), *names][n] for n in nodes]
    numbered = [line for line in export_text(tree).split("\n") if "[" in line]
    assert len(numbered) == max(0, 2 * (n_leaves - 17))


@pytest.mark.parametrize("level", range(1, 9))
def test_text_of_a_level_shows_its_groups(level):
    lines = [line.lstrip("|`- ") for line in export_text(TREE, level=level).split("\n")]
    merged = {int(line.split()[1][:-1]) for line in lines if line.startswith("node ")}
    opened = set(range(16 - level, 15))  # the merges that the cut undoes
    whole = {node for node in range(8, 16 - level) if TREE.parents[node] not in range(16 - level)}
    assert merged == opened | whole
    assert len(lines) == 2 * level - 1


def test_text_of_a_level_names_the_leaves_of_groups():
    tree = MergeTree([(0, 3), (1, 2), (4, 5)], names=["a\nb", "b", "c", "d"])
    assert export_text(tree, level=2).split("\n") == [
        "node 6: 4 leaves",
        "|-- node 4: 2 leaves ('a\\nb', d)",
        "`-- node 5: 2 leaves (b, c)",
    ]
    assert export_text(tree, max_depth=1) == export_text(tree, level=2)
    assert export_text(tree, max_depth=2) == export_text(tree)
    assert export_text(chain(14), max_depth=0) == (
        "node 26: 14 leaves (0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 4 more)"
    )


def test_text_limits_are_checked():
    with pytest.raises(ValueError, match="There is no level 9"):
        export_text(TREE, level=9)
    with pytest.raises(TypeError, match="level must be an integer"):
        export_text(TREE, level=1.5)
    with pytest.raises(TypeError, match=r"level must be an integer, got \[2, 3\]"):
        export_text(TREE, level=[2, 3])
    with pytest.raises(ValueError, match="max_depth must be at least 0, got -1"):
        export_text(TREE, max_depth=-1)
    with pytest.raises(TypeError, match=r"max_depth must be an integer, got 1\.5"):
        export_text(TREE, max_depth=1.5)
    with pytest.raises(TypeError, match="decimals must be an integer, got '2'"):
        export_text(TREE, decimals="2")
    with pytest.raises(ValueError, match="decimals must be 0 to 1,074, got -1"):
        export_text(TREE, decimals=-1)


@pytest.mark.parametrize(
    "export", [export_csv, export_json, export_newick, export_text], ids=lambda f: f.__name__
)
@pytest.mark.parametrize(
    "tree",
    [chain(20_000), chain(20_000, first=False), balanced(20_000)],
    ids=["chain first", "chain last", "balanced"],
)
def test_20_000_leaves(tree, export):
    """No recursion, and some hundred bytes a leaf: text that grew with depth would take GBs."""
    assert len(export(tree)) < 20_000 * 300


@pytest.mark.parametrize("export", [export_pandas, export_networkx])
def test_a_package_that_is_missing_is_named(export, monkeypatch):
    package = export.__name__.removeprefix("export_")
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError, match=rf'pip install "skl2h\[{package}\]"'):
        export(TREE)


def check_that_scipy_cuts_alike(tree):
    """SciPy's cuts fail on ties and inversions. Ranks have neither, so the cuts are right."""
    Z = tree.to_linkage()
    assert is_valid_linkage(Z)
    assert is_monotonic(Z)
    all_cuts = cut_tree(Z)  # of level K in column 0
    for level in range(1, tree.n_leaves + 1):
        ours = tree.cut(level).tolist()
        # Not "maxclust", which gives too few groups near level K in SciPy 1.9.
        by_height = fcluster(Z, tree.n_leaves - level, "distance")
        for theirs in (all_cuts[:, tree.n_leaves - level], by_height):
            assert len(set(zip(ours, theirs.tolist()))) == level == len(set(theirs.tolist()))


@for_every(TREES)
def test_scipy_cuts_every_order_of_merges_alike(merges):
    check_that_scipy_cuts_alike(MergeTree(merges))


@pytest.mark.parametrize(
    "tree",
    [oddly_named_tree(0, 200), oddly_named_tree(1, 200), chain(60)],
    ids=["any", "another", "chain"],
)
def test_scipy_cuts_larger_trees_alike(tree):
    check_that_scipy_cuts_alike(tree)


@pytest.mark.parametrize("export", [export_csv, export_json, export_newick, export_text])
class TestFirstArgument:
    def test_a_fitted_estimator_is_its_tree(self, export):
        model = L2HClustering(KMeans(3, random_state=0)).fit(np.eye(9))
        assert export(model) == export(model.tree_)

    def test_models_with_children_and_pipelines_have_trees(self, export):
        X = np.random.default_rng(0).standard_normal((6, 2))
        model = make_pipeline(StandardScaler(), AgglomerativeClustering()).fit(X)
        assert export(model) == export(MergeTree(model[-1].children_))

    def test_a_model_without_a_tree_is_told(self, export):
        with pytest.raises(TypeError, match="KMeans has no tree: neither tree_ nor children_"):
            export(KMeans(2).fit(np.eye(3)))

    def test_an_unfitted_estimator_is_refused(self, export):
        with pytest.raises(NotFittedError, match="not fitted yet"):
            export(L2HClustering(KMeans(3)))

    def test_anything_else_is_refused(self, export):
        with pytest.raises(TypeError, match="A MergeTree or a fitted estimator is needed"):
            export([(0, 1)])


@pytest.mark.parametrize("export", [export_csv, export_json, export_networkx, export_pandas])
def test_levels_are_checked(export):
    with pytest.raises(ValueError, match="There is no level 9"):
        export(TREE, levels=[9])
    for levels in (3, True, "3", b"\x03", {3}, np.array(3)):
        with pytest.raises(TypeError, match="levels must be a sequence of integers, got "):
            export(TREE, levels=levels)
    for levels in ([True], [2.0], ["2"], [[2]], [None]):
        with pytest.raises(TypeError, match=r"levels\[0\] must be an integer, got "):
            export(TREE, levels=levels)


def test_ordinary_text_is_printed_as_it_is():
    """Non-breaking spaces and composed characters are not quoted."""
    names = [
        "caf\u00e9\u00a0noir",
        "\U0001f468\u200d\U0001f469\u200d\U0001f467",
        "a\u202eb",
        "",
        "c\u2028d",
        " \u00a0",
    ]
    text = export_text(MergeTree([(0, 1), (6, 2), (7, 3), (8, 4), (9, 5)], names=names))
    assert names[0] in text
    assert names[1] in text
    assert "'a\\u202eb'" in text
    assert "''" in text
    assert "' \\xa0'" in text
    assert "'c\\u2028d'" in text
