"""A tree as JSON: nested objects, one for each node, or flat lists.

`nest` writes the nodes of any nested format, without recursion.
"""

import json
import math
import sys
from collections import Counter

from ..exceptions.arguments import as_flag
from ..exceptions.texts import shown
from ..tree.checks import check_levels
from ..tree.merge_tree import MergeTree
from ..tree.tree_of import tree_of
from .tables import group_of_nodes

__all__ = ["export_json", "from_json", "nest"]

# More digits than any integer in a tree has.
MOST_DIGITS = 400


def export_json(tree, *, nested=True, levels=()):
    """JSON: nested for d3 and networkx, or flat.

    Parameters
    ----------
    tree : MergeTree or fitted L2HClustering
        What to write.
    nested : bool, default=True
        Whether each node holds its children, or the merges stand in one list.
    levels : sequence of int, default=()
        Levels to cut at.

    Returns
    -------
    text : str
        Nested, the root: an object for each node with ``id``, ``name``, ``level_k`` for each
        level whose cut is not below the node (its group), and

        - for a leaf, ``value``, its number of rows, if the tree has counts: d3 sums these up;
        - for a merge, ``score`` and ``support``, if the tree has them, and ``children``, a list
          of two. Its name is "node" and its number;
        - for the root, ``method``, if the tree has it.

        Flat, an object with ``n_leaves``, ``names``, ``counts``, ``children``, ``scores`` and
        ``cuts``, which maps each level to the group of each leaf, and ``support`` and ``method``,
        if the tree has them. Anything else that the tree does not have is null.

        Both are ASCII, and :func:`from_json` reads both.

    Raises
    ------
    NotFittedError
        If the estimator is not fitted.
    TypeError
        If `tree` is not a tree, `nested` is not a bool, or a level is not an integer.
    ValueError
        If a level is out of range.

    Notes
    -----
    The nested form is read by d3 with ``d3.hierarchy(data).sum(d => d.value)``, and by networkx
    with ``tree_graph(data)``. Both, and most readers of JSON, recurse: if a tree is thousands of
    merges deep, they can read only the flat form.

    Examples
    --------
    >>> from skl2h import MergeTree
    >>> from skl2h.export import export_json
    >>> tree = MergeTree([(0, 2), (1, 3)], names=["cat", "car", "dog"], counts=[5, 6, 7])
    >>> print(export_json(tree))
    {"id": 4, "name": "node 4", "children": [{"id": 1, "name": "car", "value": 6},
     {"id": 3, "name": "node 3", "children": [{"id": 0, "name": "cat", "value": 5},
     {"id": 2, "name": "dog", "value": 7}]}]}
    >>> print(export_json(MergeTree([(0, 2), (1, 3)]), nested=False, levels=[2]))
    {"n_leaves": 3, "names": ["0", "1", "2"], "counts": null, "children": [[0, 2], [1, 3]],
     "scores": null, "cuts": {"2": [0, 1, 0]}}
    """
    tree = tree_of(tree)
    levels = check_levels(tree, levels)
    if as_flag("nested", nested):
        return _nested(tree, levels)
    fields = {
        "n_leaves": tree.n_leaves,
        "names": tree.names,
        "counts": None if tree.counts is None else tree.counts.tolist(),
        "children": tree.children.tolist(),
        "scores": None if tree.scores is None else tree.scores.tolist(),
        "cuts": {str(level): tree.cut(level).tolist() for level in levels},
    }
    if tree.support is not None:
        fields["support"] = tree.support.tolist()
    if tree.method is not None:
        fields["method"] = tree.method
    return json.dumps(fields)


def from_json(text):
    """Tree of the text that :func:`export_json` has written, nested or flat.

    Parameters
    ----------
    text : str
        JSON. What it holds besides the tree, such as groups, is skipped, and so is the byte order
        mark that files from Windows may begin with.

    Returns
    -------
    tree : MergeTree
        Equal to the tree that was exported, and of the same ``method``. Only the nested form of a
        single leaf does not keep that there are scores or support, since it has no merge.

    Raises
    ------
    TypeError
        If `text` is not a str.
    ValueError
        If the text is not JSON, is not the JSON of a tree, is nested too deeply, or has an object
        with the same key twice.

    Notes
    -----
    Python reads JSON that is nested some hundred merges deep, by ``sys.getrecursionlimit()``:
    about half of it in Python 3.11, more in later ones. The flat form has no such limit.

    Examples
    --------
    >>> from skl2h import MergeTree
    >>> from skl2h.export import export_json, from_json
    >>> tree = MergeTree([(0, 2), (1, 3)], scores=[0.5, 0.75], names=["cat", "car", "dog"])
    >>> from_json(export_json(tree)) == tree
    True
    """
    if not isinstance(text, str):
        raise TypeError(f"JSON is read from a str, got {type(text).__name__}.")
    try:
        data = json.loads(
            text.removeprefix("\ufeff"), parse_int=_whole, object_pairs_hook=_distinct
        )
    except RecursionError:
        raise ValueError(
            "This JSON is nested too deeply to be read: write the tree with "
            "export_json(tree, nested=False)."
        ) from None
    except ValueError as error:
        raise ValueError(f"This is no JSON: {error}.") from None
    keys = data.keys() if isinstance(data, dict) else ()
    if "n_leaves" not in keys and "id" not in keys:
        raise ValueError(
            "This JSON is not that of a tree: an object with `id` (nested) or `n_leaves` (flat) "
            "is needed."
        )
    try:
        return _tree_of_flat(data) if "n_leaves" in keys else _tree_of_nested(data)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"This JSON is not that of a tree: {error}") from None


def _whole(digits):
    # A tree has no such number, and Python refuses to read more than 4,300 digits.
    return int(digits) if len(digits) <= MOST_DIGITS else math.inf


def _distinct(pairs):
    """Dict of pairs (key, value), whose keys must be different."""
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = Counter(key for key, _ in pairs).most_common(1)[0][0]
        raise ValueError(f"an object has the key {shown(twice)} twice")
    return found


def nest(tree, opens, closes, separator):
    """Text of the nodes, each around those below it.

    ``opens`` and ``closes`` hold the text before and after what is below each node, and
    ``separator`` stands between the two children of a merge.
    """
    pieces, children, n_leaves = [], tree.children.tolist(), tree.n_leaves
    waiting = [tree.n_nodes - 1]
    while waiting:
        node = waiting.pop()
        if isinstance(node, str):
            pieces.append(node)
        elif node < n_leaves:
            pieces.append(opens[node] + closes[node])
        else:
            first, last = children[node - n_leaves]
            pieces.append(opens[node])
            waiting += (closes[node], last, separator, first)
    return "".join(pieces)


def _nested(tree, levels):
    n_merges = tree.n_nodes - tree.n_leaves
    names = map(
        json.dumps, [*tree.names, *(f"node {n}" for n in range(tree.n_leaves, tree.n_nodes))]
    )
    opens = [f'{{"id": {node}, "name": {name}' for node, name in enumerate(names)]
    columns = {f"level_{level}": group_of_nodes(tree, level) for level in levels}
    if tree.counts is not None:
        columns["value"] = tree.counts.tolist() + [None] * n_merges
    if tree.scores is not None:
        columns["score"] = [None] * tree.n_leaves + tree.scores.tolist()
    if tree.support is not None:
        columns["support"] = [None] * tree.n_leaves + tree.support.tolist()
    for key, values in columns.items():
        opens = [
            start if value is None else f'{start}, "{key}": {value}'
            for start, value in zip(opens, values)
        ]
    if tree.method is not None:
        opens[-1] += f', "method": "{tree.method}"'
    opens[tree.n_leaves :] = [f'{start}, "children": [' for start in opens[tree.n_leaves :]]
    return nest(tree, opens, ["}"] * tree.n_leaves + ["]}"] * n_merges, ", ")


def _tree_of_flat(data):
    fields = {key: data.get(key) for key in ("children", "names", "scores", "counts", "support")}
    for key, values in fields.items():
        if not isinstance(values, list) and (key == "children" or values is not None):
            raise ValueError(f"{key} is not a list.")
    for t, pair in enumerate(fields["children"]):
        if not isinstance(pair, list) or len(pair) != 2:
            raise ValueError(f"children[{t}] is not a list of two nodes.")
        _checked(_INTEGER, pair, lambda side, t=t: f"children[{t}][{side}]")
    kinds = {"names": _TEXT, "scores": _NUMBER, "counts": _NUMBER, "support": _NUMBER}
    for key, kind in kinds.items():
        if fields[key] is not None:
            fields[key] = _checked(kind, fields[key], lambda at, key=key: f"{key}[{at}]")
    _checked(_INTEGER, [data["n_leaves"]], lambda _: "n_leaves")
    tree = MergeTree(fields.pop("children"), method=data.get("method"), **fields)
    if data["n_leaves"] != tree.n_leaves:
        raise ValueError(
            f"n_leaves is {shown(data['n_leaves'])}, but its merges join {tree.n_leaves}."
        )
    return tree


def _tree_of_nested(root):
    nodes, waiting = {}, [(root, "the root")]
    while waiting:
        node, where = waiting.pop()
        if not isinstance(node, dict):
            raise ValueError(f"{where} is {shown(node)}, not an object with an `id`.")
        if "id" not in node:
            raise ValueError(f"{where} has no `id`.")
        number, below = node["id"], node.get("children", [])
        _checked(_INTEGER, [number], lambda _, where=where: f"the `id` of {where}")
        if number in nodes:
            raise ValueError(f"two nodes have the id {shown(number)}.")
        if not isinstance(below, list) or len(below) not in (0, 2):
            raise ValueError(f"the `children` of node {number} are not a list of two nodes.")
        nodes[number] = node
        waiting += [(child, f"a child of node {number}") for child in below]
    leaves = {number for number, node in nodes.items() if not node.get("children")}
    if leaves != set(range(len(leaves))) or nodes.keys() != set(range(len(nodes))):
        raise ValueError(
            f"the ids of its {len(leaves)} leaves are not 0 to {len(leaves) - 1}, "
            f"or those of its {len(nodes) - len(leaves)} merges do not follow."
        )
    nodes = [nodes[number] for number in range(len(nodes))]
    leaves, merges = nodes[: len(leaves)], nodes[len(leaves) :]
    children = [[child["id"] for child in merge["children"]] for merge in merges]
    return MergeTree(
        children,
        names=_values(leaves, "name", _TEXT, needed=True),
        scores=_values(merges, "score", _NUMBER),
        counts=_values(leaves, "value", _NUMBER),
        support=_values(merges, "support", _NUMBER),
        method=root.get("method"),
    )


def _values(nodes, key, kind, needed=False):
    """Values of a key that all nodes have; None if no node has it and it is not needed."""
    having = [key in node for node in nodes]
    if not any(having) and not needed:
        return None
    if not all(having):
        others = ", others have" if any(having) else ""
        raise ValueError(f"node {nodes[having.index(False)]['id']} has no `{key}`{others}.")
    values = [node[key] for node in nodes]
    return _checked(kind, values, lambda at: f"the `{key}` of node {nodes[at]['id']}")


def _checked(kind, values, where):
    """Values of a kind, with integers beyond 64 bits as floats; an error names the first other."""
    types, allowed, largest = kind
    for at, value in enumerate(values):
        # Exact types, as True is an int to Python. NaN is not within any bounds.
        if type(value) not in types or (str not in types and not abs(value) <= largest):
            raise ValueError(f"{where(at)} is {shown(value)}, not {allowed}.")
    return [float(v) if type(v) is int and abs(v) >= 2**63 else v for v in values]


# Kinds of values: their types, their name in errors, and the largest number.
_INTEGER = (int,), "an integer below 2**63", 2**63 - 1
_NUMBER = (int, float), "a finite number", sys.float_info.max
_TEXT = (str,), "a text", None
