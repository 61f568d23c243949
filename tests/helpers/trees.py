"""Trees of many shapes."""

import numpy as np

from skl2h import MergeTree

LETTERS = list(
    "ab'\"()[]{},:;_\\/ \n\r\t<>&%#=.-+0\u00e9\u4e2d\u2028\u0301\x00\U0001f600\ud800"
    "\ufeff\ufffe\uffff\u200f\u202e"
)


def random_tree(seed, n_leaves=30):
    """Random merges, with either side first, and names with characters that formats reserve."""
    rng = np.random.default_rng(seed)
    alive, children = list(range(n_leaves)), []
    for node in range(n_leaves, 2 * n_leaves - 1):
        children.append([alive.pop(rng.integers(len(alive))) for _ in range(2)])
        alive.append(node)
    names = ["".join(rng.choice(LETTERS, rng.integers(6))) for _ in range(n_leaves)]
    scores = np.sort(rng.standard_exponential(n_leaves - 1))
    return MergeTree(children, scores=scores, names=names, counts=rng.integers(9, size=n_leaves))


def random_chain(n_leaves, first):
    """Each leaf joins the one large group, from one side."""
    grown = np.r_[0, np.arange(n_leaves, 2 * n_leaves - 2)]
    children = np.column_stack([grown, np.arange(1, n_leaves)])
    return MergeTree(children if first else children[:, ::-1])


def balanced(n_leaves):
    return MergeTree(np.arange(2 * n_leaves - 2).reshape(-1, 2))


def some_tree(n_leaves, seed):
    rng = np.random.default_rng(seed)
    groups, children = list(range(n_leaves)), []
    while len(groups) > 1:
        pair = [groups.pop(rng.integers(len(groups))) for _ in range(2)]
        groups.append(n_leaves + len(children))
        children.append(pair)
    return MergeTree(children, scores=np.sort(rng.random(n_leaves - 1)))


def large_tree(n_leaves, shape):
    if shape == "planted":  # a balanced tree: round by round, neighbours are paired
        nodes, children = list(range(n_leaves)), []
        while len(nodes) > 1:
            pairs = list(zip(nodes[::2], nodes[1::2]))
            made = range(n_leaves + len(children), n_leaves + len(children) + len(pairs))
            children += pairs
            nodes = [*made, *nodes[len(pairs) * 2 :]]
    else:
        children = [(0, 1), *((n_leaves + i, i + 2) for i in range(n_leaves - 2))]
    names = [f"n{i}" for i in range(n_leaves)]
    scores = np.linspace(0, 1, n_leaves - 1)
    return MergeTree(children, scores=scores, names=names, counts=np.arange(n_leaves))
