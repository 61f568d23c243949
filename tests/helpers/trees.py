"""Trees of many shapes."""

import numpy as np

from skl2h import MergeTree
from skl2h.export import export_text

LETTERS = list(
    "ab'\"()[]{},:;_\\/ \n\r\t<>&%#=.-+0\u00e9\u4e2d\u2028\u0301\x00\U0001f600\ud800"
    "\ufeff\ufffe\uffff\u200f\u202e"
)


def random_merges(n_leaves, rng):
    """Two groups drawn at random are merged, until one is left; either of them is first."""
    alive, merges = list(range(n_leaves)), []
    for node in range(n_leaves, 2 * n_leaves - 1):
        merges.append(tuple(alive.pop(rng.integers(len(alive))) for _ in range(2)))
        alive.append(node)
    return merges


def random_tree(n_leaves, seed, **fields):
    """Random merges with rising scores; the seed may be a generator."""
    rng = np.random.default_rng(seed)
    merges = random_merges(n_leaves, rng)
    return MergeTree(merges, scores=np.sort(rng.random(n_leaves - 1)), **fields)


def oddly_named_tree(seed, n_leaves=30):
    """A random tree with counts, and with names of letters that formats use themselves."""
    rng = np.random.default_rng(seed)
    names = ["".join(rng.choice(LETTERS, rng.integers(6))) for _ in range(n_leaves)]
    return random_tree(n_leaves, rng, names=names, counts=rng.integers(9, size=n_leaves))


def chain(n_leaves, *, first=True, **fields):
    """Each leaf joins the group of all before it, which is the first of the two or the second."""
    grown = [0, *range(n_leaves, 2 * n_leaves - 2)][: n_leaves - 1]
    children = np.column_stack([grown, np.arange(1, n_leaves)])
    return MergeTree(children if first else children[:, ::-1], **fields)


def balanced(n_leaves, **fields):
    """Round by round, neighbours are paired."""
    nodes, children = list(range(n_leaves)), []
    while len(nodes) > 1:
        pairs = list(zip(nodes[::2], nodes[1::2]))
        made = range(n_leaves + len(children), n_leaves + len(children) + len(pairs))
        children += pairs
        nodes = [*made, *nodes[len(pairs) * 2 :]]
    return MergeTree(children, **fields)


def with_rows(make, n_leaves, names=None):
    """A chain or a balanced tree with scores, names, and as many rows in a leaf as its number."""
    names = [f"n{leaf}" for leaf in range(n_leaves)] if names is None else names
    scores = np.linspace(0, 1, n_leaves - 1)
    return make(n_leaves, scores=scores, names=names, counts=np.arange(n_leaves))


def printed(tree):
    """What the command line prints for a tree."""
    return export_text(tree) + "\n"
