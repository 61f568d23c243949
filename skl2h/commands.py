"""What the commands of the command line do, from arguments that have been parsed."""

import math
from functools import partial

import numpy as np

from .exceptions.faults import InputError, doing, show, telling
from .exceptions.texts import printable, shown, shown_text
from .export.files import check_outputs, groups_table, page, picture, text, write_all, writer
from .export.text import export_text
from .hierarchy.build import build_tree
from .logits.files import (
    TREES,
    Table,
    check_several,
    expand,
    leaf_of_column,
    open_files,
    read_names,
    read_scores,
    read_tree,
    read_weights,
)
from .logits.matrix import as_logits

__all__ = ["build", "demo", "predict"]

NEXT = """\
What you see: a mixture of 10 Gaussians was fitted to 1,797 images of digits, without the
digits. Each leaf is one cluster, named after the digit that most of its images show. A
score says how sure the model is of the group that was merged: the lowest went first.

What to try next:
  skl2h demo --out FOLDER         the same as pictures, and as a page to explore in a browser
  skl2h build --help              the same from a file of logits, of any model
  python3 -c "import skl2h; help(skl2h.L2HClustering)"
                                  the same in Python, behind scikit-learn's API
"""

DEMO_LEVEL = 4

# Below it, logits in single precision may overflow.
SMALLEST_TEMPERATURE = 1e-30


def build(arguments):
    """Make the tree of a file of logits, or read that of a file, and write it."""
    paths = expand(arguments.logits)
    if arguments.out:
        check_outputs(arguments.out, [*paths, arguments.names, arguments.weights])
    _check_safe(arguments)
    writers = {path: writer(path, arguments.safe) for path in arguments.out}
    is_tree = len(paths) == 1 and paths[0].suffix.lower() in TREES
    tree = _read_tree(paths[0], arguments) if is_tree else _build_tree(paths, arguments)
    write_all(writers, tree, arguments.level)
    if not writers:
        show(text(tree, arguments.level))


def predict(arguments):
    """Write the group of each row of a file of logits at some levels of a tree."""
    paths = expand(arguments.logits)
    if arguments.tree.suffix.lower() not in TREES:
        raise InputError(
            f"{shown_text(arguments.tree)}: the ending must be one of {', '.join(TREES)}."
        )
    if arguments.out:
        check_outputs(arguments.out, [arguments.tree, *paths, arguments.names], [".csv"])
    _check_safe(arguments)
    if len(paths) > 1:
        check_several(paths, arguments)
    kind = _kind(arguments)
    tables = [read_scores(path, kind, arguments) for path in paths]
    n_columns = tables[0].scores.shape[1]
    for table in tables:
        if (n := table.scores.shape[1]) != n_columns:
            raise InputError(
                f"{shown_text(table.path)} has {n} columns, and {shown_text(paths[0])} {n_columns}."
            )
    names = _names(tables[0].names, n_columns, paths[0], arguments)
    tree = read_tree(arguments.tree, names)
    leaf = leaf_of_column(arguments.tree, tree, names, n_columns)
    _check_levels(
        arguments.level, tree.n_leaves, f"{shown_text(arguments.tree)} has {tree.n_leaves} leaves"
    )
    leaves = []
    with telling():
        tables[0].warn_of_row_numbers()
        for table in tables:
            with table.faults(table.path):
                leaves.append(leaf[as_logits(table.scores, kind).leaves()])
    leaves = np.concatenate(leaves)
    writers = dict.fromkeys(
        arguments.out, partial(groups_table, leaves=leaves, safe=arguments.safe)
    )
    write_all(writers, tree, arguments.level)
    if not writers:
        readable = tree.with_names(list(map(printable, tree.names)))
        show(groups_table(readable, arguments.level, leaves=leaves))


def demo(arguments):
    """Fit a mixture to digits, and show the tree of its clusters."""
    writers = {}
    if (folder := arguments.out) is not None:
        with doing(f"--out {folder}"):
            folder.mkdir(exist_ok=True)
        writers = {
            "digits.png": lambda tree, _: picture(tree, DEMO_LEVEL, "rectangular", "png"),
            "digits-radial.png": lambda tree, _: picture(tree, DEMO_LEVEL, "radial", "png"),
            "digits.html": page,
        }
        writers = {folder / name: write for name, write in writers.items()}
        check_outputs(writers, inputs=[])
    from sklearn.datasets import load_digits
    from sklearn.decomposition import PCA
    from sklearn.mixture import GaussianMixture
    from sklearn.pipeline import make_pipeline

    from .hierarchy.estimator import L2HClustering

    digits = load_digits()
    mixture = GaussianMixture(n_components=10, covariance_type="tied", random_state=7)
    model = L2HClustering(make_pipeline(PCA(15, random_state=0), mixture)).fit(digits.data)
    seen = [digits.target[model.leaf_labels_ == leaf] for leaf in range(model.n_leaves_)]
    commonest = [np.bincount(targets).argmax() for targets in seen]
    names = [
        f"mostly {digit} ({np.mean(targets == digit):.0%})"
        for digit, targets in zip(commonest, seen)
    ]
    tree = model.tree_.with_names(names)
    write_all(writers, tree, [DEMO_LEVEL])
    written = "".join(f"Written: {printable(str(path))}\n" for path in writers)
    show(f"{export_text(tree)}\n\n{NEXT}{written}")


def _build_tree(paths, arguments):
    """Tree of the logits of some files."""
    where = " ".join(map(str, arguments.logits))
    temperature = 1.0 if arguments.temperature is None else arguments.temperature
    if 0 < temperature < SMALLEST_TEMPERATURE:
        raise InputError(
            f"--temperature {temperature:g}: is too small: logits that are divided by it grow "
            f"beyond all numbers. The least is {SMALLEST_TEMPERATURE:g}."
        )
    if not 0 < temperature < math.inf:
        raise InputError(f"--temperature {temperature:g}: must be a number above 0.")
    kind = _kind(arguments)
    if len(paths) > 1:
        logits = open_files(paths, kind, temperature, arguments)
        table = Table(paths[0], logits.shards[0].load())
    else:
        table = read_scores(paths[0], kind, arguments)
        logits = as_logits(table.scores, kind, temperature)
    n_rows, n_leaves = logits.shape
    names = _names(table.names, n_leaves, where, arguments)
    _check_levels(arguments.level, n_leaves, f"{shown_text(where)} has {n_leaves} columns")
    weights = None
    if arguments.weights is not None:
        weights = read_weights(arguments.weights, n_rows)
        if len(paths) > 1:
            logits.weigh(weights)
            weights = None
    with telling(), table.faults(where):
        table.warn_of_row_numbers()
        tree, _ = build_tree(
            logits,
            weights=weights,
            names=names,
            aggregation=arguments.aggregation or "sum_of_means",
        )
    return tree


def _read_tree(path, arguments):
    """Tree of a file, with the names that are asked for."""
    for option in ("probabilities", "array", "header", "weights", "temperature", "aggregation"):
        if getattr(arguments, option) not in (None, False):
            raise InputError(f"--{option}: is for logits, and {shown_text(path)} is a tree.")
    tree = read_tree(path)
    names = _names(None, tree.n_leaves, path, arguments, "the tree has {} leaves")
    if names is not None:
        if path.suffix.lower() != ".json":
            tree = read_tree(path, names)
        tree = tree.with_names(names)
    _check_levels(arguments.level, tree.n_leaves, f"{shown_text(path)} has {tree.n_leaves} leaves")
    return tree


def _check_safe(arguments):
    """Refuse to make safe where no table is written."""
    if arguments.safe and not any(path.suffix.lower() == ".csv" for path in arguments.out):
        raise InputError("--safe: is for tables, so it needs --out with a .csv file.")


def _kind(arguments):
    return "probabilities" if arguments.probabilities else "logits"


def _names(names, n_leaves, source, arguments, what="the logits have {} columns"):
    """Names of the leaves: those of --names, else those that were found in the file."""
    if arguments.names is not None:
        source = arguments.names
        names = read_names(source, n_leaves)
    if names is not None and len(names) != n_leaves:
        raise InputError(
            f"{shown_text(source)}: names {len(names)} clusters, but {what.format(n_leaves)}."
        )
    return names


def _check_levels(levels, n_leaves, what):
    for level in levels:
        if not 1 <= level <= n_leaves:
            raise InputError(f"--level {shown(level)}: {what}, so a level is 1 to {n_leaves}.")
