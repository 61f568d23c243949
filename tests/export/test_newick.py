"""Newick text follows the format: skl2h and DendroPy read it back."""

import dendropy
import numpy as np
import pytest
from helpers.orders import TREES, for_every
from helpers.trees import LETTERS, balanced, chain, oddly_named_tree

from skl2h import MergeTree, affinity_tree
from skl2h.datasets import make_hierarchical_logits
from skl2h.export import export_newick, from_newick


def written(tree, heights, node_labels=False):
    """(label, length, below) of the root, by hand."""
    ranks = np.arange(1, tree.n_leaves)
    height = {"rank": ranks, "score": tree.scores, None: ranks}[heights]
    height = [0] * tree.n_leaves + np.asarray(height).tolist()

    def below(node, parent):
        length = None if parent is None or heights is None else height[parent] - height[node]
        if node < tree.n_leaves:
            return tree.names[node], length, ()
        children = tree.children[node - tree.n_leaves].tolist()
        label = str(node) if node_labels else None
        return label, length, tuple(below(child, node) for child in children)

    return below(tree.n_nodes - 1, None)


def read_by_dendropy(text):
    def below(node):
        children = node.child_nodes()
        return node.label, node.edge_length, tuple(below(child) for child in children)

    found = dendropy.Tree.get(
        data=text, schema="newick", suppress_leaf_node_taxa=True, suppress_internal_node_taxa=True
    )
    return below(found.seed_node)


@for_every(TREES)
def test_dendropy_reads_every_order_of_merges(merges):
    for sides in (merges, [pair[::-1] for pair in merges]):
        tree = MergeTree(sides, scores=[0.5, 1, 0.25, 2], names=["a b", "c_d", "", "e'f", "(g)"])
        for heights in ("rank", "score", None):
            assert read_by_dendropy(export_newick(tree, heights=heights)) == written(tree, heights)


@pytest.mark.parametrize("node_labels", [False, True])
@pytest.mark.parametrize("heights", ["rank", "score", None])
@pytest.mark.parametrize(
    ("seed", "n_leaves"), [*((s, 30) for s in range(20)), (20, 200), (21, 200)]
)
def test_dendropy_reads_names_sides_and_lengths(seed, n_leaves, heights, node_labels):
    tree = oddly_named_tree(seed, n_leaves)
    # DendroPy takes a name that is a single mark for the mark, in quotes or not.
    tree = tree.with_names([name + "x" if name in tuple("(),:;") else name for name in tree.names])
    text = export_newick(tree, heights=heights, node_labels=node_labels)
    assert read_by_dendropy(text) == written(tree, heights, node_labels)


@for_every(TREES)
def test_every_order_of_merges_survives_in_ranks(merges):
    names = ["it's", "a (b), c:d;", "[x]\ny", "", "d_e"]
    for sides in (merges, [pair[::-1] for pair in merges]):
        tree = MergeTree(sides, scores=[1, 2, 3, 4], names=names)
        text = export_newick(tree)
        assert from_newick(text, leaves=names) == tree
        found = from_newick(text)
        assert found.names == tuple(names[leaf] for leaf in tree.leaf_order)
        assert np.array_equal(found.leaf_order, np.arange(5))
        assert np.array_equal(found.cut(3)[np.argsort(tree.leaf_order)] == 0, same_as(tree, 3))


def same_as(tree, level):
    """Whether each leaf is together with the leftmost one."""
    groups = tree.cut(level)
    return groups == groups[tree.leaf_order[0]]


@pytest.mark.parametrize("seed", range(50))
def test_what_survives(seed):
    """Merges and sides always, order with ranks, scores up to rounding; names may be equal."""
    tree = oddly_named_tree(seed)
    in_order = np.empty(tree.n_nodes, dtype=int)  # leaves numbered from left to right
    in_order[tree.leaf_order] = np.arange(tree.n_leaves)
    in_order[tree.n_leaves :] = np.arange(tree.n_leaves, tree.n_nodes)
    names = [tree.names[leaf] for leaf in tree.leaf_order]
    children = in_order[tree.children]

    ranks = np.arange(1, tree.n_leaves)
    assert from_newick(export_newick(tree)) == MergeTree(children, scores=ranks, names=names)

    found = from_newick(export_newick(tree, heights="score", node_labels=True))
    assert np.array_equal(found.children, children)
    assert found.names == tuple(names)
    np.testing.assert_allclose(found.scores, tree.scores, rtol=1e-12)

    found = from_newick(export_newick(tree, heights=None))
    assert found.scores is None
    assert found.names == tuple(names)
    groups = {tuple(found.members(node)) for node in range(found.n_nodes)}
    assert groups == {tuple(sorted(in_order[tree.members(n)])) for n in range(tree.n_nodes)}


@pytest.mark.parametrize("seed", range(5))
def test_heights_of_an_affinity_tree_survive(seed):
    """With its groups at every level; of any other tree the ranks are written, as before."""
    logits, _, _ = make_hierarchical_logits(400, 12, random_state=seed)
    tree = affinity_tree(logits)
    text = export_newick(tree)
    assert text == export_newick(tree, heights="auto") == export_newick(tree, heights="score")
    found = from_newick(text, leaves=tree.names)
    np.testing.assert_allclose(found.scores, tree.scores, rtol=1e-12)
    for level in range(1, 13):
        assert np.array_equal(found.cut(level), tree.cut(level))
    other = MergeTree(tree.children, scores=tree.scores, method="l2h")
    assert export_newick(other) == export_newick(tree, heights="rank")
    assert export_newick(other) != text


@pytest.mark.parametrize(
    "scores", [None, [0.0, 0.0], [2.0, 1.0], [-1.0, 1.0]], ids=["none", "zero", "fall", "negative"]
)
def test_scores_that_are_no_heights_are_left_out(scores):
    tree = MergeTree([(0, 1), (2, 3)], scores=scores, method="affinity")
    assert export_newick(tree) == export_newick(tree, heights="rank") == "(2:2,(0:1,1:1):1);"


def test_scores_may_fall():
    tree = MergeTree([(0, 1), (3, 2)], scores=[2, 1.5])
    assert export_newick(tree, heights="score") == "((0:2.0,1:2.0):-0.5,2:1.5);"
    found = from_newick("((0:2.0,1:2.0):-0.5,(2:1,3:1):.5);")
    assert found.children.tolist() == [[2, 3], [0, 1], [5, 4]]
    assert found.scores.tolist() == [1, 2, 1.5]


def test_lengths_that_no_float_holds_are_told():
    tree = MergeTree([(0, 1), (2, 3)], scores=[-1e308, 1e308])
    with pytest.raises(ValueError, match="scores of node 3 and its parent differ by more than a"):
        export_newick(tree, heights="score")
    with pytest.raises(ValueError, match="lengths below a node add up to more than a float holds"):
        from_newick("((a:1e308,b:1):1e308,c:1);")


@pytest.mark.parametrize("name", LETTERS + [a + b for a in "'[(;" for b in "')],:"])
def test_names_of_one_mark(name):
    tree = MergeTree([(0, 1)], scores=[1], names=[name, name])
    assert from_newick(export_newick(tree)) == tree


def test_how_a_tree_was_made_does_not_survive():
    """Nothing in the text says what its lengths are."""
    tree = oddly_named_tree(0)
    tree = MergeTree(tree.children, scores=tree.scores, method="affinity")
    assert from_newick(export_newick(tree, heights="score")).method is None


def test_one_leaf():
    for name in ("a", "", "it's"):
        tree = MergeTree([], names=[name])
        assert from_newick(export_newick(tree)) == tree


@pytest.mark.parametrize(
    "text",
    [
        "(a:1,(b:1,c:1):1);",
        " ( a : 1.0 , ( b:1e0,c:+1. )xy[ignored (;]:1 )root:9 ;\n[the [nested] end]\n",
        "[&R]('a':1,\r\n('b':1,'c':01)'it''s':1)'':0;",
        "(a[one]:[two]1,(b:.1e1,c:1)0.95:1);",
    ],
)
def test_spaces_comments_quotes_and_labels_do_not_matter(text):
    assert from_newick(text) == MergeTree([(1, 2), (0, 3)], scores=[1, 2], names="abc")


@pytest.mark.parametrize("text", ["(a:1,(b:1,c:1):1);", "[x]\n(a:1,(b:1,c:1):1);"])
def test_a_byte_order_mark_is_no_part_of_a_name(text):
    assert from_newick("\ufeff" + text) == from_newick(text)
    one = MergeTree([], names=["\ufeffa"])
    assert from_newick(export_newick(one)) == one


def test_underscores_are_spaces_but_in_quotes():
    assert from_newick("(a_b,'a_b');").names == ("a b", "a_b")


def test_height_is_the_longest_way_down():
    assert from_newick("((a:1,b:5):1,(c:2,d:2):9);").scores.tolist() == [2, 5, 11]


BAD = {
    "": "line 1, column 1: there is no tree in this text",
    "\n \n": "line 1, column 1: there is no tree in this text",
    "\ufeff": "line 1, column 1: there is no tree in this text",
    "[a comment]": "line 1, column 1: there is no tree in this text",
    "(": "line 1, column 1: this parenthesis is not closed",
    "a": "line 1, column 2: the text ends before the semicolon",
    ";": "line 1, column 1: there is no tree",
    "trees/mine.nwk": "line 1, column 15: the text ends before the semicolon",
    "(a,b": "line 1, column 1: this parenthesis is not closed",
    "(a,b,": "line 1, column 1: this parenthesis is not closed",
    "(a:1,b:": "line 1, column 7: no number follows the colon",
    "(a,b)c,": "line 1, column 7: no parenthesis is open here",
    "(a,b;": "line 1, column 1: this parenthesis is not closed",
    "(a,\n(b,c);": "line 1, column 1: this parenthesis is not closed",
    "(a,b));": "line 1, column 6: no parenthesis is open here",
    "a,b;": "line 1, column 2: no parenthesis is open here",
    "(a,b);(c,d);": "line 1, column 7: there is something after the semicolon",
    "(a,\n(b,c,d));": "line 2, column 1: this node joins 3, not 2.",
    "(a,b,c);": "column 1: this node joins 3, not 2 (is it unrooted? then root it first)",
    "((a,b));": "column 1: this node joins 1, not 2",
    "(a,(b));": "column 4: this node joins 1, not 2",
    "();": "column 1: there is nothing between these parentheses",
    "(a,( \n[x]));": "column 4: there is nothing between these parentheses",
    "\ufeff(a,());": "column 4: there is nothing between these parentheses",
    "[&U](a,b);": "column 1: the tree is said to be unrooted",
    "(a,'b);": "column 4: this quote is not closed",
    "(a,'b'');": "column 4: this quote is not closed",
    "(a,b]);": "column 5: no bracket is open here",
    "(a,b[c);": "column 5: this bracket is not closed",
    "(a b,c);": "column 4: a comma, parenthesis or pair of quotes is missing",
    "(a'b',c);": "column 3: a comma, parenthesis or pair of quotes is missing",
    "(a,b)c d;": "column 8: a comma, parenthesis or pair of quotes is missing",
    "(a:1 x,b:1);": "column 6: a comma, parenthesis or pair of quotes is missing",
    "(a,b)(c,d);": "column 6: a comma is missing before this parenthesis",
    "(a(b,c));": "column 3: a comma is missing before this parenthesis",
    "(a:,b:1);": "column 3: no number follows the colon",
    "(a:x,b:1);": "column 3: no number follows the colon",
    "(a:'1',b:1);": "column 3: no number follows the colon",
    "(a:1_0,b:1);": "column 3: no number follows the colon",
    "(a:nan,b:1);": "column 3: no number follows the colon",
    "(a:1:2,b:1);": "column 5: this node has a length already",
    "(a:1e999,b:1);": "column 4: the length 1e999 is too large",
    "(a:1,b);": "column 7: the node that ends here has no length, but others have",
    "((a:1,b:1),c:2);": "column 11: the node that ends here has no length, but others have",
}


@pytest.mark.parametrize("text", BAD, ids=repr)
def test_faults_are_told_with_their_place(text):
    with pytest.raises(ValueError, match=r"^Newick, line") as error:
        from_newick(text)
    assert BAD[text] in str(error.value)


N = 1_000_000
LONG = {
    "digits": (f"(a:{'1' * N}x,b:1);", "column 3: no number follows the colon."),
    "digits after a point": (f"(a:1.{'1' * N}x,b:1);", "column 3: no number follows the colon."),
    "digits of an exponent": (f"(a:1e{'1' * N}x,b:1);", "column 3: no number follows the colon."),
    "points": (f"(a:{'1.' * N},b:1);", "column 3: no number follows the colon."),
    "a large number": (f"(a:{'9' * N},b:1);", "column 4: the length 999"),
    "a name": (f"({'x' * N} y,b);", "a comma, parenthesis or pair of quotes is missing"),
    "an open quote": (f"('{'x' * N}", "column 2: this quote is not closed."),
    "quotes in an open quote": ("('" + "''" * N, "column 2: this quote is not closed."),
    "quotes": ("('" + "''" * N + "' y,b);", "a comma, parenthesis or pair of quotes is missing"),
    "whitespace": ("(a" + " \n" * N + "b);", "column 1: a comma, parenthesis or pair of quotes is"),
    "an open comment": ("(a,[" + "x" * N, "column 4: this bracket is not closed."),
    "brackets": ("(a," + "[" * 100_000, "column 4: this bracket is not closed."),
    "comments": ("(a," + "[]" * 100_000 + ";", "column 1: this parenthesis is not closed."),
    "parentheses": ("(" * 100_000, "column 100000: this parenthesis is not closed."),
    "nodes": ("(" + "," * 100_000 + ");", "column 1: this node joins 100001, not 2"),
    "lines": ("\n" * N + ";", "column 1: there is no tree."),
}


@pytest.mark.parametrize("name", LONG)
def test_long_text_takes_linear_time_and_is_not_repeated(name):
    """In quadratic time, each text would take hours."""
    text, message = LONG[name]
    with pytest.raises(ValueError, match=r"^Newick, line") as error:
        from_newick(text)
    assert message in str(error.value)
    assert len(str(error.value)) <= 200


def test_long_text_is_read_in_linear_time():
    name, zeros = "''" * N, "0" * N
    text = f"('{name}'{' ' * N}[{'x' * N}]:{zeros}1,{'y' * N}:1.{zeros});"
    tree = from_newick(text)
    assert tree.names == ("'" * N, "y" * N)
    assert tree.scores.tolist() == [1]


@pytest.mark.parametrize(
    "text",
    ["(a:1,b:1)", "(a:1,b:1)\n", "(a:1,b:1)c", "(a:1,b:1):2", "(a:1,b:1)[;]", "\ufeff(a:1,b:1)"],
)
def test_the_semicolon_at_the_end_may_be_missing(text):
    assert from_newick(text) == from_newick("(a:1,b:1);")


@pytest.mark.parametrize("some", range(10))
def test_broken_text_is_refused_with_its_place(some):
    """After cuts and insertions, a text is read as a tree or raises a ValueError with the place."""
    for seed in range(20 * some, 20 * some + 20):
        try:
            check_that_broken_text_is_refused(seed)
        except BaseException as error:
            error.add_note(f"for the seed {seed}")
            raise


def check_that_broken_text_is_refused(seed):
    rng = np.random.default_rng(seed)
    text = list(export_newick(oddly_named_tree(seed, 6), node_labels=True))
    for _ in range(rng.integers(1, 4)):
        at = rng.integers(len(text))
        text[at : at + rng.integers(3)] = rng.choice(LETTERS, rng.integers(3))
    try:
        tree = from_newick("".join(text))
    except ValueError as error:
        assert str(error).startswith("Newick, line ")  # noqa: PT017 (most texts, but not all)
    else:
        assert from_newick(export_newick(tree, heights=None)).names == tree.names


@pytest.mark.parametrize(
    ("text", "arguments", "message"),
    [
        (f"(a,b){'1' * N}x;", {"node_labels": "support"}, "column 6: '111.*' is no support"),
        (f"(a,b){'9' * 99}{'0' * N};", {"node_labels": "support"}, "the support 999.* is not a s"),
        (f"({'x' * N},b);", {"leaves": ["a", "b"]}, "leaves lacks 'xxx"),
        (f"({'x' * N},{'x' * N});", {"leaves": ["x" * N] * 2}, "leaves holds 'xxx.*' twice"),
        ("(a,b);", {"node_labels": "x" * N}, "node_labels must be 'support' or None, got 'xxx"),
    ],
    ids=["no number", "no share", "another name", "a name twice", "an argument"],
)
def test_long_names_are_not_repeated(text, arguments, message):
    with pytest.raises(ValueError, match=message) as error:
        from_newick(text, **arguments)
    assert len(str(error.value)) <= 200


@pytest.mark.parametrize(
    ("leaves", "message"),
    [
        (["a", "b", "x"], "leaves lacks 'c'"),
        (["a", "b"], "leaves lacks 'c'"),
        (["a", "b", "c", "d"], "the text lacks 'd'"),
        (["a", "b", "c", "c"], "the text lacks 'c'"),
    ],
)
def test_leaves_are_those_of_the_text(leaves, message):
    with pytest.raises(ValueError, match=message):
        from_newick("(a,(b,c));", leaves=leaves)


@pytest.mark.parametrize(
    ("leaves", "message"),
    [
        ({"a", "b", "c"}, "leaves must be in the order of the leaves, which a set"),
        (3, "leaves must be one sequence of texts, got 3"),
    ],
)
def test_leaves_are_a_sequence(leaves, message):
    with pytest.raises(TypeError, match=message):
        from_newick("(a,(b,c));", leaves=leaves)


@pytest.mark.parametrize("kind", [list, tuple, iter, np.array, "".join])
def test_leaves_are_of_any_kind_of_sequence(kind):
    assert from_newick("(a,(b,c));", leaves=kind(["c", "a", "b"])).names == ("c", "a", "b")


def test_leaves_can_be_told_apart():
    with pytest.raises(ValueError, match="leaves holds 'a' twice"):
        from_newick("(a,(b,a));", leaves=["a", "a", "b"])


def test_only_text_is_read():
    with pytest.raises(TypeError, match="read from a str, got bytes"):
        from_newick(b"(a,b);")


def test_heights_are_checked():
    tree = MergeTree([(0, 1)])
    message = "heights must be 'auto', 'rank', 'score' or None, got 'depth'"
    with pytest.raises(ValueError, match=message):
        export_newick(tree, heights="depth")
    with pytest.raises(ValueError, match="This tree has no scores"):
        export_newick(tree, heights="score")


@pytest.mark.parametrize(
    "tree",
    [chain(20_000), chain(20_000, first=False), balanced(20_000)],
    ids=["chain first", "chain last", "balanced"],
)
def test_20_000_leaves(tree):
    """Without recursion, and without quadratic time, in which this would not end."""
    text = export_newick(tree)
    assert text.count("(") == 19_999
    found = from_newick(text, leaves=tree.names)
    assert np.array_equal(found.children, tree.children)
