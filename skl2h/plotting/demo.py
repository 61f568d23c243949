"""The demonstration of the command line: both trees of a mixture on digits."""

from functools import partial

import numpy as np
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.frozen import FrozenEstimator
from sklearn.mixture import GaussianMixture
from sklearn.pipeline import make_pipeline

from ..exceptions.faults import doing, show
from ..exceptions.texts import printable
from ..export import export_text, tree_files
from ..hierarchy.estimator import L2HClustering
from . import files as pictures

__all__ = ["show_demo"]

EXPLANATION = """\
What you see: a mixture of 10 Gaussians was fitted to 1,797 images of digits, without the
digits. Each leaf is one cluster, named after the digit that most of its rows show, with the
share of its rows that do. A row is an image.
In the tree of L2H a score says how sure the model is of the group that was merged, and L2H
takes the lowest first. It is 1 for a cluster that is certain, and for a group the sum over
its leaves, so it may exceed 1.
In the affinity tree the clusters that are most alike are joined first, and a height says how
far apart two groups are.

What to try next:
  skl2h demo --out FOLDER         both trees as pictures, and as pages to explore in a browser
  skl2h build --help              both trees from a file of logits, of any model, or the
                                  affinity tree from a confusion matrix
  python3 -c "import skl2h; help(skl2h.L2HClustering)"
                                  the same in Python, behind scikit-learn's API
"""

LEVEL = 4

# What is written of each tree, by the end of its name.
WRITERS = {
    ".png": pictures.WRITERS[".png"],
    "-radial.png": partial(pictures.picture, layout="radial", kind="png"),
    ".html": tree_files.page,
}


def show_demo(folder=None):
    """Print both trees, and write them into a folder if there is one."""
    writers = {}
    if folder is not None:
        with doing(f"--out {folder}"):
            folder.mkdir(exist_ok=True)
        writers = {
            folder / f"{stem}{end}": _writer(method, write)
            for method, stem in (("l2h", "digits"), ("affinity", "digits-affinity"))
            for end, write in WRITERS.items()
        }
        tree_files.check_outputs(writers, inputs=[])
        pictures.check_matplotlib(writers)
    trees, digits = _trees_of_digits()
    l2h, affinity = trees["l2h"], trees["affinity"]
    tree_files.write_all(writers, trees, [LEVEL])
    written = "".join(f"Written: {printable(str(path))}\n" for path in writers)
    show(
        f"The tree of L2H:\n{export_text(l2h)}\n\n"
        f"The affinity tree of the same clusters:\n{export_text(affinity)}\n\n"
        f"In {LEVEL} groups, by the digits of their leaves:\n"
        f"  the tree of L2H     {_groups(l2h, digits)}\n"
        f"  the affinity tree   {_groups(affinity, digits)}\n\n"
        f"{EXPLANATION}{written}"
    )


def _writer(method, write):
    return lambda trees, levels: write(trees[method], levels)


def _trees_of_digits():
    """Trees of a mixture by method, and the digit that most rows of each leaf show."""
    data = load_digits()
    mixture = GaussianMixture(n_components=10, covariance_type="tied", random_state=7)
    flat = FrozenEstimator(make_pipeline(PCA(15, random_state=0), mixture).fit(data.data))
    models = {
        method: L2HClustering(flat, method=method).fit(data.data) for method in ("l2h", "affinity")
    }
    leaf, n_leaves = models["l2h"].leaf_labels_, models["l2h"].n_leaves_
    seen = [data.target[leaf == number] for number in range(n_leaves)]
    digits = [np.bincount(targets).argmax() for targets in seen]
    names = [
        f"mostly {digit} ({np.mean(targets == digit):.0%})" for digit, targets in zip(digits, seen)
    ]
    return {method: model.tree_.with_names(names) for method, model in models.items()}, digits


def _groups(tree, digits):
    """The digits of each group, in one line."""
    members = [[] for _ in range(LEVEL)]
    for digit, group in sorted(zip(digits, tree.cut(LEVEL))):
        members[group].append(str(digit))
    return " | ".join(map(" ".join, sorted(members)))
