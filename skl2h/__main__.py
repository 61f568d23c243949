"""The program `skl2h`: files of logits in, trees, pictures and groups out; and a demonstration.

Nothing is loaded before `main` runs, so that an interrupt ends in one line at any time.
"""

import sys

__all__ = ["main"]

DESCRIPTION = """\
Reads a whole hierarchy out of the logits of a flat clusterer or classifier, or out of its
confusion matrix.
The leaves of the tree are its K clusters (the columns of the logits), not the rows.
"""

BUILD = """\
Merge the K columns of a file of logits into one tree, and write the merges and cuts.

LOGITS is a table of numbers, one row for each sample and one column for each cluster:
  .npy   one array, read without loading it whole; several files, or a pattern such as
         'shards/*.npy', are one table, its rows in the order of the names
  .npz   the array --array names; else `logits`, or `probabilities` with --probabilities;
         else the only 2-dimensional one. An array `names` with one text for each column
         names the clusters. Also a sparse matrix, as scipy.sparse.save_npz writes it: what
         it does not store is impossible for its row.
  .csv   numbers between commas, or else semicolons or tabs; a first line that is not
         numbers names the clusters; no column of row numbers (with pandas:
         to_csv(path, index=False))
Files are never unpickled.

--method l2h merges the group first that the model is least sure of; affinity those groups that
are most alike, which finds superclasses better, but needs a few arrays of K x K numbers.

In place of LOGITS, --confusion is a file of a square table: line a and column b is how much of
class a was taken for b, counts or shares; the diagonal is not used. Its tree is the affinity
tree. .npy and .npz are as above, with an array `confusion`; .csv may have names of the classes
in its first line, its first column, or both, where lines may be in another order.

In place of LOGITS, TREE is a tree that was written as .json, .nwk or .newick, to write it in
other ways. With --names, the leaves of .json get these names; those of Newick, which are not
in the order of the columns, are put into the order of the names, unless they are numbers.

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
  skl2h build logits.npy --method affinity         the tree of what is alike
  skl2h build probs.npz --probabilities --names classes.txt --out tree.json
  skl2h build --confusion confusion.csv            classes by what they are taken for
  skl2h build tree.json --level 20 --out tree.html   the same tree, without the logits

exit codes: 0 done, 1 a file, its content or a value is at fault, 2 the command line cannot be
read, or --array names what is no array, 130 interrupted, 143 or 129 ended by SIGTERM or SIGHUP.
"""

PREDICT = """\
Write the group of each row of a file of logits, at each --level of a tree.

TREE is a tree that `skl2h build` has written, .json, .nwk or .newick; LOGITS are as for build, of
the same clusters. Where both have names, columns and leaves are matched by name, and else by
number; Newick has none, so its leaves need named columns, or --names.

The table has a line for each row: its leaf, which has its largest logit, the name of that, and its
group at each --level. Groups are numbered by their first leaf, as build does: of Newick, by their
first column.
"""

PREDICT_EPILOG = """\
examples:
  skl2h predict tree.json new.npy --level 10 50 --out groups.csv
  skl2h predict tree.nwk new.csv --names classes.txt --level 10
"""

# Help of the files of logits.
LOGITS = ".npy, .npz or .csv file, or several .npy files"

# Options of build that are not for trees; a confusion matrix has --array alone of them.
OF_LOGITS = ("probabilities", "array", "header", "weights", "method", "temperature", "aggregation")


def main(argv=None):
    """Run the command line.

    Parameters
    ----------
    argv : list of str, default=None
        Arguments; None takes those of the process.

    Returns
    -------
    code : int
        0 when done, 1 if a file, its content or a value is at fault, 2 if ``--array`` names what
        is no array, 130 if interrupted, 128 and the number of the signal if another one ended it.
        Faults of the command line leave by SystemExit with code 2.
    """
    try:
        return _run(argv)
    except KeyboardInterrupt:  # `_run` has another handler, unless it is not the main thread
        print("skl2h: interrupted", file=sys.stderr)
        return 130  # as shells have it: 128 and the number of the signal


def _run(argv):
    """Read the command line and do what it says; give the exit code."""
    from .exceptions.faults import EndedError, InputError, doing, say, signals_as_errors, trace

    debug = False
    try:
        with signals_as_errors(), doing("skl2h"):
            arguments = _parse(argv)
            debug = arguments.debug
            if hasattr(sys.stdout, "reconfigure"):
                sys.stdout.reconfigure(errors="backslashreplace")  # names that the terminal lacks
            with doing(f"skl2h {arguments.command}"):
                {"build": _build, "demo": _demo, "predict": _predict}[arguments.command](arguments)
            return 0
    except InputError as error:
        if debug:
            trace(error)
        say(f"error: {error}")
        return error.code
    except EndedError as error:
        say("interrupted" if error.is_interrupt else f"ended by {error}")
        return 128 + error.number


def _parse(argv):
    from .exceptions.faults import show

    try:
        return _parser().parse_args(argv)
    except SystemExit:
        if sys.stdout is not None:
            show("")  # help is held back still, and may fail only now
        raise


def _build(arguments):
    """Make the tree of a file of logits, or read that of a file, and write it."""
    from .exceptions.faults import show
    from .export import tree_files
    from .hierarchy.of_files import tree_of_inputs
    from .logits.input_files import expand
    from .plotting import files as pictures

    paths = expand(arguments.logits)
    inputs = [*paths, arguments.confusion, arguments.names, arguments.weights]
    tree_files.check_outputs(arguments.out, inputs)
    endings = tree_files.TEXT_WRITERS | pictures.WRITERS
    writers = {path: tree_files.writer(path, endings, arguments.safe) for path in arguments.out}
    pictures.check_matplotlib(arguments.out)
    tree_files.check_safe(arguments.safe, arguments.out)
    given = {name: value for name in OF_LOGITS if (value := getattr(arguments, name)) is not None}
    where = " ".join(map(str, arguments.logits))
    common = {"names": arguments.names, "levels": arguments.level}
    tree = tree_of_inputs(paths, arguments.confusion, given, where=where, **common)
    tree_files.write_all(writers, tree, arguments.level)
    if not writers:
        show(tree_files.text(tree, arguments.level))


def _predict(arguments):
    """Write the group of each row of a file of logits at some levels of a tree."""
    from functools import partial

    from .exceptions.faults import show
    from .exceptions.texts import printable
    from .export import tree_files
    from .hierarchy.of_files import leaves_of_logits
    from .logits.input_files import expand

    paths = expand(arguments.logits)
    tree_files.check_holds_tree(arguments.tree)
    tree_files.check_outputs(arguments.out, [arguments.tree, *paths, arguments.names])
    for path in arguments.out:
        tree_files.ending_of(path, [".csv"])
    tree_files.check_safe(arguments.safe, arguments.out)
    tree, leaves = leaves_of_logits(
        arguments.tree,
        paths,
        arguments.probabilities or "logits",
        array=arguments.array,
        header=arguments.header,
        names=arguments.names,
        levels=arguments.level,
    )
    table = partial(tree_files.groups_table, leaves=leaves)
    writers = dict.fromkeys(arguments.out, partial(table, safe=arguments.safe))
    tree_files.write_all(writers, tree, arguments.level)
    if not writers:
        readable = tree.with_names(list(map(printable, tree.names)))
        show(table(readable, arguments.level))


def _demo(arguments):
    """Fit a mixture to digits, and show both trees of its clusters."""
    from .plotting.demo import show_demo

    show_demo(arguments.out)


def _parser():
    import argparse
    from pathlib import Path

    from .exceptions.texts import MOST_OF_TEXT, cut_middle, escaped

    class Parser(argparse.ArgumentParser):
        def error(self, message):
            super().error(cut_middle(escaped(message), MOST_OF_TEXT))

    class Version(argparse.Action):
        """Print the version, which takes a while to find, if it is asked for."""

        def __init__(self, *arguments, **options):
            super().__init__(*arguments, nargs=0, default=argparse.SUPPRESS, **options)

        def __call__(self, parser, *_):
            from . import __version__
            from .exceptions.faults import show

            show(f"skl2h {__version__}\n")
            parser.exit()

    raw = argparse.RawDescriptionHelpFormatter
    parser = Parser(prog="skl2h", description=DESCRIPTION, formatter_class=raw)
    parser.add_argument("--version", action=Version, help="print the version and exit")
    parser.set_defaults(debug=False)
    _add_debug(parser)
    commands = parser.add_subparsers(required=True, metavar="COMMAND", dest="command")
    demo = commands.add_parser(
        "demo",
        help="fit a mixture to the digits of scikit-learn and show its hierarchy",
        description="Fit a Gaussian mixture to the digits that ship with scikit-learn, and "
        "print the hierarchy of its clusters by L2H and the affinity tree of the same clusters.",
    )
    demo.add_argument(
        "--out",
        metavar="FOLDER",
        type=Path,
        help="folder, made if need be, to write digits.png, digits-radial.png and digits.html to, "
        "and the same of the affinity tree as digits-affinity.png and so on; the pictures need "
        "matplotlib",
    )
    _add_debug(demo)
    build = commands.add_parser(
        "build",
        help="make a tree of a file of logits or of a confusion matrix, or write a tree anew",
        description=BUILD,
        epilog=BUILD_EPILOG,
        formatter_class=raw,
        usage="skl2h build LOGITS [LOGITS ...] [--probabilities] [--array NAME]\n"
        "                   [--header yes|no] [--names FILE] [--weights FILE]\n"
        "                   [--method l2h|affinity] [--temperature T] [--aggregation A]\n"
        "                   [--level K [K ...]] [--out FILE]... [--safe] [--debug]\n"
        "       skl2h build --confusion FILE [--array NAME] [--names FILE]\n"
        "                   [--level K [K ...]] [--out FILE]... [--safe] [--debug]\n"
        "       skl2h build TREE [--names FILE] [--level K [K ...]] [--out FILE]... [--safe]\n"
        "                   [--debug]",
    )
    inputs = build.add_mutually_exclusive_group(required=True)
    inputs.add_argument(
        "logits",
        metavar="LOGITS",
        type=Path,
        nargs="*",
        default=[],
        help=f"{LOGITS}; or one file of a tree, .json, .nwk or .newick",
    )
    inputs.add_argument(
        "--confusion",
        metavar="FILE",
        type=Path,
        help=".csv, .npy or .npz file of a confusion matrix, in place of logits",
    )
    _add_options_of_files(build)
    build.add_argument(
        "--weights",
        metavar="FILE",
        type=Path,
        help=".npy, .csv or .txt file, one weight for each row: 2 is as the row twice",
    )
    build.add_argument(
        "--method",
        choices=["l2h", "affinity"],
        help="how the tree is made (l2h); affinity takes no --temperature and no --aggregation",
    )
    build.add_argument(
        "--temperature", metavar="T", type=float, help="number to divide the logits by (1)"
    )
    build.add_argument(
        "--aggregation",
        choices=["sum_of_means", "sum", "mean"],
        help="score of a group, from how sure the model is of its rows (sum_of_means)",
    )
    _add_levels_and_out(build, "tree")
    predict = commands.add_parser(
        "predict",
        help="write the groups of rows at some levels of a tree",
        description=PREDICT,
        epilog=PREDICT_EPILOG,
        formatter_class=raw,
        usage="skl2h predict TREE LOGITS [LOGITS ...] [--probabilities] [--array NAME]\n"
        "                     [--header yes|no] [--names FILE] [--level K [K ...]]\n"
        "                     [--out FILE]... [--safe] [--debug]",
    )
    predict.add_argument("tree", metavar="TREE", type=Path, help=".json, .nwk or .newick file")
    predict.add_argument("logits", metavar="LOGITS", type=Path, nargs="+", help=LOGITS)
    _add_options_of_files(predict)
    _add_levels_and_out(predict, "table")
    return parser


def _add_options_of_files(parser):
    from pathlib import Path

    parser.add_argument(
        "--probabilities",
        action="store_const",
        const="probabilities",
        help="the file holds probabilities, not logits",
    )
    parser.add_argument("--array", metavar="NAME", help="which array of an .npz file")
    parser.add_argument(
        "--header", choices=["yes", "no"], help="whether the first line of a .csv file is names"
    )
    parser.add_argument(
        "--names", metavar="FILE", type=Path, help="text file, one cluster name a line"
    )


def _add_levels_and_out(parser, what):
    from pathlib import Path

    parser.add_argument(
        "--level",
        metavar="K",
        type=int,
        nargs="+",
        action="extend",
        default=[],
        help="number of groups to cut into; several may be given",
    )
    parser.add_argument(
        "--out",
        metavar="FILE",
        type=Path,
        action="append",
        default=[],
        help="file to write, of a kind that its ending tells; may be given again; without it "
        f"the {what} is printed",
    )
    parser.add_argument(
        "--safe",
        action="store_true",
        help="in .csv files, put an apostrophe before names that spreadsheets take for formulas",
    )
    _add_debug(parser)


def _add_debug(parser):
    from argparse import SUPPRESS

    parser.add_argument(
        "--debug",
        action="store_true",
        default=SUPPRESS,
        help="show where an error comes from",
    )


if __name__ == "__main__":
    sys.exit(main())
