"""A tree as Newick text, the format of phylogenetics, and back.

label     name of a node, in quotes unless it has only letters, digits, ``.``, ``+`` and ``-``
length    distance of a node from its parent, written after a colon
height    distance of a merge from the leaves, which are at 0
"""

import re
from collections import Counter
from numbers import Integral

import numpy as np

from ..exceptions.arguments import as_choice, as_flag
from ..exceptions.texts import MOST_OF_VALUE, cut_middle, shown
from ..tree.alignment import in_order
from ..tree.checks import check_names
from ..tree.heights import kind_of_heights
from ..tree.merge_tree import MergeTree
from ..tree.tree_of import support_of, tree_of
from .nested_json import nest

__all__ = ["export_newick", "from_newick"]

_PLAIN = re.compile(r"[A-Za-z0-9.+-]+")
# All repetitions are possessive (`++`): they do not backtrack, so that any text takes linear time.
_NUMBER = re.compile(r"[+-]?+([0-9]++(\.[0-9]*+)?+|\.[0-9]++)([eE][+-]?+[0-9]++)?+")
_TOKEN = re.compile(
    r"""(?P<space> \s++)
    | (?P<mark> [(),:;])
    | (?P<plain> [^\s()\[\],:;']++)
    | (?P<quoted> '(?:[^']++|'')*+')
    | (?P<comment> \[)
    | (?P<stray> .)""",
    re.VERBOSE | re.DOTALL,
)

STRAY = {"'": "this quote is not closed", "]": "no bracket is open here"}


def export_newick(tree, *, heights="auto", node_labels=False):
    """Newick text, with names quoted where the format asks for it [1]_.

    Parameters
    ----------
    tree : MergeTree or fitted L2HClustering
        What to write.
    heights : {"auto", "rank", "score"} or None, default="auto"
        Heights of the merges, whose differences are the lengths: 1..n_leaves-1, or their scores.
        The leaves are at 0. "auto" takes the scores where they are heights, as in an
        :func:`~skl2h.affinity_tree`, and else the ranks. None writes no lengths.
    node_labels : bool or "support", default=False
        Labels of the merges: True writes their numbers, ``"support"`` their support, as programs
        of phylogenetics expect it.

    Returns
    -------
    text : str
        One tree with its semicolon, on one line, unless a name has several lines.

    Raises
    ------
    NotFittedError
        If the estimator is not fitted.
    TypeError
        If `tree` is not a tree.
    ValueError
        If `heights` or `node_labels` is not one of these, the tree has no scores or support to
        write, or two scores differ by more than a float can hold.

    Notes
    -----
    If the score of a merge is below that of a merge inside it, as in some linkages by centroids or
    medians, a length is negative. Not every program reads negative lengths, nor names with quotes
    or line breaks. Scores of :class:`~skl2h.L2HClustering` never fall, except by rounding where
    they are equal.

    References
    ----------
    .. [1] G. Olsen, "Interpretation of the 'Newick's 8:45' tree format standard", 1990.

    Examples
    --------
    >>> from skl2h import MergeTree
    >>> from skl2h.export import export_newick
    >>> tree = MergeTree([(0, 2), (1, 3)], scores=[0.5, 0.75], names=["cat", "hen's egg", "dog"])
    >>> print(export_newick(tree))
    ('hen''s egg':2,(cat:1,dog:1):1);
    >>> print(export_newick(tree, heights="score", node_labels=True))
    ('hen''s egg':0.75,(cat:0.5,dog:0.5)3:0.25)4;
    >>> alike = MergeTree([(0, 2), (1, 3)], scores=[0.5, 0.75], method="affinity")
    >>> print(export_newick(alike))
    (1:0.75,(0:0.5,2:0.5):0.25);
    """
    tree = tree_of(tree)
    n_leaves, n_merges = tree.n_leaves, tree.n_nodes - tree.n_leaves
    node_labels = as_flag("node_labels", node_labels, "support")
    as_choice("heights", heights, ("auto", "rank", "score", None))
    heights = kind_of_heights(tree, heights)
    if node_labels == "support":
        labels = list(map(repr, support_of(tree).tolist()))
    elif node_labels:
        labels = list(map(str, range(n_leaves, tree.n_nodes)))
    else:
        labels = [""] * n_merges
    ends = [""] * n_leaves + [")" + label for label in labels]
    if heights is not None:
        height = tree.to_linkage(heights)[:, 2]
        if heights == "rank":
            height = height.astype(np.intp)
        height = np.concatenate([np.zeros_like(height, shape=n_leaves), height])
        with np.errstate(over="ignore"):
            lengths = height[tree.parents[:-1]] - height[:-1]
        if not np.isfinite(lengths).all():
            node = int(np.isfinite(lengths).argmin())
            raise ValueError(
                f"The scores of node {node} and its parent differ by more than a float holds: "
                "use heights='rank'."
            )
        ends[:-1] = [f"{end}:{length}" for end, length in zip(ends, lengths.tolist())]
    return nest(tree, [*map(_quoted, tree.names), *["("] * n_merges], ends, ",") + ";"


def from_newick(text, *, leaves=None, node_labels=None):
    """Tree of a Newick text, which must be rooted and binary.

    Parameters
    ----------
    text : str
        One tree. Comments in square brackets are skipped, and so is the byte order mark that files
        from Windows may begin with. The semicolon at the very end may be missing.
    leaves : sequence of str, default=None
        All names, each once, in the order in which the leaves are to be numbered: for a tree of
        clusters, the order of the columns of the logits. None numbers the leaves from left to
        right in the text.
    node_labels : "support" or None, default=None
        Meaning of the labels of merges: their support, a share from 0 to 1, which only the root
        may lack. None skips them.

    Returns
    -------
    tree : MergeTree
        If there are lengths, the score of a merge is its height: the length of the longest way down
        to a leaf. Merges are numbered by height, each after those below it, and merges of equal
        height in the order in which their parentheses are closed. Without lengths, all are numbered
        in that order.

    Raises
    ------
    TypeError
        If `text` is not a str, or `leaves` is not a sequence of names.
    ValueError
        If the text is not Newick, the tree is not binary or is marked as unrooted, a label is not a
        support, or only some nodes have lengths; the error says the line and column. If the names
        are not those of `leaves`, or `node_labels` is not one of these.

    Notes
    -----
    Of ``from_newick(export_newick(tree))`` the merges, their sides and the names are always those
    of `tree`; the leaves are renumbered from left to right, unless `leaves` are given. With
    ``heights="rank"`` the order of the merges survives as well, and the scores are the ranks. With
    ``heights="score"`` the scores survive up to rounding, and the order of merges with different
    scores; where scores are equal, a level may have other groups. Support survives if it is written
    and read by ``node_labels="support"``. Counts do not survive, nor does the ``method``;
    :func:`export_json` keeps everything.

    In names without quotes, the format reads underscores as spaces.

    Examples
    --------
    >>> from skl2h.export import from_newick
    >>> tree = from_newick("(hen:3, (cat:1, 'big dog':1):2);")
    >>> tree.names
    ('hen', 'cat', 'big dog')
    >>> tree.children
    array([[1, 2],
           [0, 3]])
    >>> tree.scores
    array([1., 3.])
    >>> from_newick("(hen,(cat,dog));", leaves=["cat", "dog", "hen"]).children
    array([[0, 1],
           [2, 3]])
    """
    if not isinstance(text, str):
        raise TypeError(f"Newick is read from a str, got {type(text).__name__}.")
    if leaves is not None:
        keys = leaves.keys() if hasattr(leaves, "keys") else [0]
        if not any(isinstance(key, Integral) for key in keys):
            raise TypeError(
                "leaves must be a sequence of the names of the leaves, in the order in which they "
                f"are to be numbered, or a dict {{number: name}}, got {shown(leaves)}."
            )
        if hasattr(leaves, "__len__"):
            leaves = in_order("leaves", leaves, map(str, range(len(leaves))))
        leaves = check_names(leaves, "leaves")
    as_choice("node_labels", node_labels, ("support", None))
    text = text.removeprefix("\ufeff")
    names, merges, lengths, labels = _parse(text)
    n_leaves = len(names)
    if lengths is None:
        scores, order = None, np.arange(n_leaves - 1)
    else:
        scores, reached = _heights(n_leaves, merges, lengths)
        order = reached.argsort(kind="stable")
        scores = scores[order]
    new = np.empty(2 * n_leaves - 1, dtype=np.intp)
    new[n_leaves:][order] = np.arange(n_leaves, 2 * n_leaves - 1)
    if leaves is None:
        new[:n_leaves] = np.arange(n_leaves)
    else:
        new[:n_leaves] = _numbers(names, leaves)
        names = leaves
    children = new[np.array(merges, dtype=np.intp).reshape(-1, 2)][order]
    support = None if node_labels is None else _supports(text, labels)[order]
    return MergeTree(children, scores=scores, names=names, support=support)


def _quoted(name):
    return name if _PLAIN.fullmatch(name) else "'" + name.replace("'", "''") + "'"


def _parse(text):
    """Names of the leaves, pairs of nodes as they are closed, lengths of nodes, and labels.

    Leaves are numbered from left to right, merges as they are closed, after all leaves.
    Lengths are None if no node but the root has a length. For each merge there is its label with
    its place in the text; without a label, "" with the place where the node ends.
    """
    names, pairs = [], []  # a node is a leaf's number, or ~t for the t-th pair
    labels = {}  # of pairs that have one
    lengths = {}  # of nodes that have one
    ends = {}  # place in the text where each node is complete
    waiting = []  # of each open parenthesis: its place, and the nodes in it
    node = None  # the node that is being read
    labelled, colon, done = False, None, False
    for kind, token, at in _tokens(text):
        if done:
            _fail(text, at, "there is something after the semicolon: one tree is read")
        if colon is not None:
            if kind != "plain" or not _NUMBER.fullmatch(token):
                _fail(text, colon, "no number follows the colon")
            if not np.isfinite(length := float(token)):
                _fail(text, at, f"the length {cut_middle(token, MOST_OF_VALUE)} is too large")
            lengths[node], colon, labelled = length, None, True
        elif kind != "mark":
            if node is None:
                node = len(names)
                names.append("")
            elif labelled or node >= 0:
                _fail(text, at, "a comma, parenthesis or pair of quotes is missing before this")
            if node >= 0:
                names[node] = token
            else:
                labels[node] = token, at
            labelled = True
        elif token == "(":
            if node is not None:
                _fail(text, at, "a comma is missing before this parenthesis")
            waiting.append((at, []))
        else:
            if node is None:
                if token == ";" and not waiting:
                    _fail(text, at, "there is no tree")
                if token == ")" and waiting and not waiting[-1][1]:
                    _fail(text, waiting[-1][0], "there is nothing between these parentheses")
                node = len(names)
                names.append("")
            if token == ":":
                if node in lengths:
                    _fail(text, at, "this node has a length already")
                colon = at
                continue
            ends[node] = at
            if token == ";":
                if waiting:
                    _fail(text, waiting[-1][0], "this parenthesis is not closed")
                done = True
                continue
            if not waiting:
                _fail(text, at, "no parenthesis is open here")
            waiting[-1][1].append(node)
            node, labelled = None, False
            if token == ")":
                start, below = waiting.pop()
                if len(below) != 2:
                    unrooted = len(below) == 3 and not waiting
                    hint = " (is it unrooted? then root it first)" if unrooted else ""
                    _fail(text, start, f"this node joins {len(below)}, not 2{hint}")
                pairs.append(below)
                node = ~(len(pairs) - 1)
    labels = [labels.get(~t, ("", ends[~t])) for t in range(len(pairs))]
    lengths.pop(node, None)  # the root has no parent
    del ends[node]
    lacking = sorted(ends[node] for node in ends.keys() - lengths.keys())
    if lengths and lacking:
        _fail(text, lacking[0], "the node that ends here has no length, but others have")
    n_leaves = len(names)
    merges = [[n_leaves + ~node if node < 0 else node for node in pair] for pair in pairs]
    nodes = [*range(n_leaves), *(~t for t in range(len(pairs) - 1))]
    return names, merges, [lengths[node] for node in nodes] if lengths else None, labels


def _tokens(text):
    """Yield (kind, token, place); labels are without their quotes, and a semicolon comes last."""
    at, token, opened = 0, None, False
    while at < len(text):
        match = _TOKEN.match(text, at)
        kind = match.lastgroup
        if kind == "comment":
            end = _end_of_comment(text, at)
            if text[at:end].upper() == "[&U]":
                _fail(text, at, "the tree is said to be unrooted: root it first")
            at = end
            continue
        if kind != "space":
            token = match[0]
            opened |= token == "("
        if kind == "stray":
            _fail(text, at, STRAY[token])
        if kind == "plain":
            yield kind, token.replace("_", " "), at
        elif kind == "quoted":
            yield kind, token[1:-1].replace("''", "'"), at
        elif kind == "mark":
            yield kind, token, at
        at = match.end()
    if token is None:
        _fail(text, 0, "there is no tree in this text")
    if token != ";":
        # Without a parenthesis it is more likely a path or a word than a tree that was cut off.
        if not opened:
            _fail(text, at, "the text ends before the semicolon that ends a tree")
        yield "mark", ";", at


def _end_of_comment(text, start):
    depth = 0
    for match in re.compile(r"[\[\]]").finditer(text, start):
        depth += 1 if match[0] == "[" else -1
        if depth == 0:
            return match.end()
    _fail(text, start, "this bracket is not closed")


def _heights(n_leaves, merges, lengths):
    """Height of each merge, and the largest height of it and the merges below, (n_merges,) each."""
    heights, reached = [0.0] * n_leaves, [-np.inf] * n_leaves
    for first, last in merges:
        height = max(heights[first] + lengths[first], heights[last] + lengths[last])
        if not np.isfinite(height):
            raise ValueError("Newick: the lengths below a node add up to more than a float holds.")
        heights.append(height)
        reached.append(max(height, reached[first], reached[last]))
    return np.array(heights[n_leaves:]), np.array(reached[n_leaves:])


def _supports(text, labels):
    """Support of each merge, from its label. The root is the last, and 1 without a label."""
    supports = np.ones(len(labels))
    for t, (label, at) in enumerate(labels):
        if t == len(labels) - 1 and not label:
            continue
        if not _NUMBER.fullmatch(label):
            fault = f"{shown(label)} is no support" if label else "this node has no support"
            _fail(text, at, fault)
        supports[t] = float(label)
        if not 0 <= supports[t] <= 1:
            digits = cut_middle(label, MOST_OF_VALUE)
            _fail(text, at, f"the support {digits} is not a share from 0 to 1 (a percentage?)")
    return supports


def _numbers(names, leaves):
    """Place of each name among the leaves."""
    for owner, held, other in (("leaves", leaves, names), ("the text", names, leaves)):
        lacking = Counter(other) - Counter(held)
        if lacking:
            name = next(iter(lacking))
            raise ValueError(
                f"The text and leaves name different leaves: {owner} lacks {shown(name)}."
            )
    places = {name: place for place, name in enumerate(leaves)}
    if len(places) < len(leaves):
        twice = Counter(leaves).most_common(1)[0][0]
        raise ValueError(f"leaves holds {shown(twice)} twice: its numbers cannot be told apart.")
    return [places[name] for name in names]


def _fail(text, at, what):
    line = text.count("\n", 0, at) + 1
    column = at - text.rfind("\n", 0, at)
    raise ValueError(f"Newick, line {line}, column {column}: {what}.")
