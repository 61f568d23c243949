"""The command line: a file of logits in, a tree out; and a demonstration."""

import argparse
import os
import sys
import warnings
from pathlib import Path

import numpy as np

from . import __version__
from .build import build_tree
from .estimator import L2HClustering
from .export import export_text
from .files import expand, open_files, read_names, read_scores
from .logits import as_logits
from .outputs import InputError, check_outputs, page, picture, tell, text, write_all, writer

DESCRIPTION = """\
Reads a whole hierarchy out of the logits of a flat clusterer or classifier.
The leaves of the tree are its K clusters (the columns of the logits), not the rows.
"""

BUILD = """\
Merge the K columns of a file of logits into one tree, and write the merges and cuts.

LOGITS is a table of numbers, one row for each sample and one column for each cluster:
  .npy   one array, read without loading it whole; several files, or a pattern such as
         'shards/*.npy', are one table, its rows in the order of the names
  .npz   the array --array names; else `logits`, or `probabilities` with --probabilities;
         else the only 2-dimensional one. An array `names` with one text for each column
         names the clusters.
  .csv   numbers between commas; a first line that is not numbers names the clusters;
         no column of row numbers (with pandas: to_csv(path, index=False))
Files are never unpickled.

FILE says by its ending what is written; several --out write several, or none if one fails:
  .txt                  the tree as it is printed, with the groups of each --level
  .csv                  one line for each node: name, parent, children, score, leaves, rows,
                        and its group at each --level
  .json, .flat.json     objects in objects, as d3 reads them, or flat lists
  .nwk, .newick         Newick, with the number of the merge as height
  .html                 a page to explore in a browser, which needs nothing else
  .png, .svg, .pdf      a picture, which needs matplotlib: a dendrogram, or of more than
                        60 leaves a radial tree
Page and picture show the first --level, or 10 groups.
"""

BUILD_EPILOG = """\
examples:
  skl2h build logits.npy                           print the tree
  skl2h build logits.npy --level 10 --out tree.html --out tree.png --out tree.csv
  skl2h build 'shards/*.npy' --out tree.nwk        files that are too large together
  skl2h build probs.npz --probabilities --names classes.txt --out tree.nwk

exit codes: 0 done, 1 a file, its content or a value is at fault, 2 the command line cannot be read,
130 interrupted.
"""

NEXT = """\
What you see: a mixture of 10 Gaussians was fitted to 1,797 images of digits, without the
digits. Each leaf is one cluster, named after the digit that most of its images show. A
score says how sure the model is of the group that was merged: the lowest went first.

What to try next:
  skl2h demo --out FOLDER         the same as pictures, and as a page to explore in a browser
  skl2h build --help              the same from a file of logits, of any model
  python3 -c "import skl2h; help(skl2h.L2HClustering)"
                                  the same in Python, behind scikit-learn's API"""


DEMO_LEVEL = 4


def main(argv=None):
    """Run the command line.

    Parameters
    ----------
    argv : list of str, default=None
        Arguments; None takes those of the process.

    Returns
    -------
    code : int
        0 when done, 1 if a file or its content is at fault, 130 if interrupted. Faults of the
        command line leave by SystemExit with code 2.
    """
    arguments = _parser().parse_args(argv)
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")  # names that the terminal lacks
    try:
        code = arguments.run(arguments)
        if sys.stdout is not None:
            sys.stdout.flush()
        return code
    except InputError as error:
        print(f"skl2h: error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("skl2h: interrupted", file=sys.stderr)
        return 130  # as shells have it: 128 and the number of the signal
    except BrokenPipeError:
        # The reader of our output has left (`| head`): that is no fault.
        _drop_output()
        return 0
    except OSError as error:  # of a file it would be an InputError: this is the output's
        _drop_output()
        print(f"skl2h: error: the output: {error.strerror or error}.", file=sys.stderr)
        return 1


def _drop_output():
    """Let what is still held back go nowhere, instead of failing once more at the exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parser():
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="skl2h", description=DESCRIPTION, formatter_class=raw)
    parser.add_argument("--version", action="version", version=f"skl2h {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    demo = commands.add_parser(
        "demo",
        help="fit a mixture to the digits of scikit-learn and show its hierarchy",
        description="Fit a Gaussian mixture to the digits that ship with scikit-learn, and "
        "print the hierarchy of its clusters.",
    )
    demo.add_argument(
        "--out",
        metavar="FOLDER",
        type=Path,
        help="folder, made if need be, to write digits.png, digits-radial.png and digits.html "
        "to; the pictures need matplotlib",
    )
    demo.set_defaults(run=_demo)
    build = commands.add_parser(
        "build",
        help="make a tree of a file of logits",
        description=BUILD,
        epilog=BUILD_EPILOG,
        formatter_class=raw,
        usage="skl2h build LOGITS [LOGITS ...] [--probabilities] [--array NAME]\n"
        "                   [--header yes|no] [--names FILE] [--level K [K ...]] [--out FILE]...",
    )
    build.add_argument(
        "logits",
        metavar="LOGITS",
        type=Path,
        nargs="+",
        help=".npy, .npz or .csv file, or several .npy files",
    )
    build.add_argument(
        "--probabilities", action="store_true", help="the file holds probabilities, not logits"
    )
    build.add_argument("--array", metavar="NAME", help="which array of an .npz file")
    build.add_argument(
        "--header", choices=["yes", "no"], help="whether the first line of a .csv file is names"
    )
    build.add_argument(
        "--names", metavar="FILE", type=Path, help="text file, one cluster name a line"
    )
    build.add_argument(
        "--level",
        metavar="K",
        type=int,
        nargs="+",
        action="extend",
        default=[],
        help="number of groups to cut into; several may be given",
    )
    build.add_argument(
        "--out",
        metavar="FILE",
        type=Path,
        action="append",
        default=[],
        help="file to write, of a kind that its ending tells; may be given again; without it "
        "the tree is printed",
    )
    build.set_defaults(run=_build)
    return parser


def _demo(arguments):
    writers = {}
    if (folder := arguments.out) is not None:
        _make_folder(folder)
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
    print(export_text(tree))
    print()
    print(NEXT)
    for path in writers:
        print(f"Written: {path}")
    return 0


def _build(arguments):
    paths = expand(arguments.logits)
    said = " ".join(map(str, arguments.logits))
    if arguments.out:
        check_outputs(arguments.out, [*paths, arguments.names])
    writers = {path: writer(path) for path in arguments.out}
    kind = "probabilities" if arguments.probabilities else "logits"
    if len(paths) > 1:
        logits, names = open_files(paths, kind, arguments), None
    else:
        scores, names = read_scores(paths[0], arguments)
        logits = as_logits(scores, kind)
    n_leaves = logits.shape[1]
    if arguments.names is not None:
        names = read_names(arguments.names)
        source = arguments.names
    else:
        source = said
    if names is not None and len(names) != n_leaves:
        raise InputError(
            f"{source}: names {len(names)} clusters, but the logits have {n_leaves} columns."
        )
    for level in arguments.level:
        if not 1 <= level <= n_leaves:
            raise InputError(
                f"--level {level}: {said} has {n_leaves} columns, so a level is 1 to {n_leaves}."
            )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        try:
            tree, _ = build_tree(logits, names=names)
        except (ValueError, RuntimeError) as error:
            raise InputError(f"{said}: {error}") from None
    tell(caught)
    write_all(writers, tree, arguments.level)
    if not writers:
        print(text(tree, arguments.level), end="")
    return 0


def _make_folder(path):
    try:
        path.mkdir(exist_ok=True)
    except OSError as error:
        raise InputError(f"--out {path}: {error.strerror or error}.") from None


if __name__ == "__main__":
    sys.exit(main())
