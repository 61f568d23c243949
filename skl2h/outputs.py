"""Files that the command line writes: what their endings mean, and all of them or none.

A writer takes a tree and the levels that were asked for, and gives a str or bytes.
"""

import errno
import io
import os
import shutil
import sys
import warnings
from contextlib import contextmanager
from pathlib import Path

from .export import export_csv, export_json, export_newick, export_text
from .names import printable

__all__ = ["InputError", "check_outputs", "page", "picture", "tell", "text", "write_all", "writer"]

MOST_BRANCHES = 60  # of a dendrogram; a radial tree has room for more

N_GROUPS = 10  # that a picture colours unasked


class InputError(Exception):
    """A fault of a file, told in one line."""


def text(tree, levels):
    """Text of the tree, and of the groups at each level."""
    parts, names = [export_text(tree)], list(map(printable, tree.names))
    for level in levels:
        parts.append(f"\nlevel {level}")
        members = [[] for _ in range(level)]
        for name, group in zip(names, tree.cut(level).tolist()):
            members[group].append(name)
        parts += [f"  {group}: {', '.join(inside)}" for group, inside in enumerate(members)]
    return "\n".join(parts) + "\n"


def page(tree, levels):
    """Page to explore in a browser, which starts at the first level."""
    from .export import export_html

    return export_html(tree, level=_level_to_show(tree, levels))


def _picture_of_kind(kind):
    def write(tree, levels):
        layout = "rectangular" if tree.n_leaves <= MOST_BRANCHES else "radial"
        return picture(tree, _level_to_show(tree, levels), layout, kind)

    return write


def picture(tree, level, layout, kind):
    """Picture of the kind of file that matplotlib writes, coloured by the groups of a level."""
    import matplotlib
    from matplotlib import pyplot

    from .plotting import DendrogramDisplay

    matplotlib.use("agg")  # to write files, a screen is not needed
    dated = {"svg": "Date", "pdf": "CreationDate"}.get(kind)
    metadata = {dated: None} if dated else None
    file = io.BytesIO()
    # The same tree gives the same file.
    with matplotlib.rc_context({"svg.hashsalt": "skl2h"}):
        display = DendrogramDisplay.from_tree(tree, layout=layout, level=level)
        try:
            display.figure_.savefig(
                file, format=kind, dpi=200, bbox_inches="tight", metadata=metadata
            )
        finally:
            pyplot.close(display.figure_)
    return file.getvalue()


def _level_to_show(tree, levels):
    """The first that was asked for; else some groups, or none of them where all are leaves."""
    return levels[0] if levels else N_GROUPS if tree.n_leaves > N_GROUPS else None


# What each ending writes, a str or bytes. An ending that ends in another one stands before it.
WRITERS = {
    ".txt": text,
    ".csv": lambda tree, levels: export_csv(tree, levels=levels),
    ".flat.json": lambda tree, levels: export_json(tree, nested=False, levels=levels) + "\n",
    ".json": lambda tree, levels: export_json(tree, levels=levels) + "\n",
    ".nwk": lambda tree, _: export_newick(tree) + "\n",
    ".newick": lambda tree, _: export_newick(tree) + "\n",
    ".html": page,
    ".png": _picture_of_kind("png"),
    ".svg": _picture_of_kind("svg"),
    ".pdf": _picture_of_kind("pdf"),
}
PICTURES = (".png", ".svg", ".pdf")


def writer(path):
    """Writer of the ending of a path."""
    return WRITERS[_ending(path)]


def _ending(path):
    for ending in WRITERS:
        if path.name.lower().endswith(ending):
            return ending
    raise InputError(f"--out {path}: the ending says what to write, one of {', '.join(WRITERS)}.")


def check_outputs(paths, inputs):
    """Refuse what could not be written before the work begins."""
    seen = dict.fromkeys(
        (os.path.realpath(path) for path in inputs if path is not None), "what is read"
    )
    for path in paths:
        if _ending(path) in PICTURES:
            try:
                import matplotlib  # noqa: F401 (whether it is there)
            except ImportError:
                raise InputError(
                    f'--out {path}: a picture needs matplotlib: pip install "skl2h[plot]".'
                ) from None
        target = Path(os.path.realpath(path))  # a link stays a link
        if str(target) in seen:
            raise InputError(f"--out {path}: would overwrite {seen[str(target)]}.")
        seen[str(target)] = f"--out {path}"
        fault = (
            errno.EISDIR if target.is_dir()
            else errno.ENOENT if not target.parent.exists()
            else errno.ENOTDIR if not target.parent.is_dir()
            else errno.EACCES if not os.access(target.parent, os.W_OK)
            else errno.EACCES if target.exists() and not os.access(target, os.W_OK)
            else None
        )  # fmt: skip
        if fault:
            raise InputError(f"--out {path}: {os.strerror(fault)}.")
        if target.exists() and not target.is_file():
            raise InputError(f"--out {path}: is no regular file, so it cannot be replaced.")


def write_all(writers, tree, levels):
    """Write all files whole, or none of them."""
    written = {}
    try:
        for path, write in writers.items():
            target = Path(os.path.realpath(path))
            # Short, as the name of the target may be as long as a name can be.
            temporary = target.with_name(f".skl2h-{os.getpid()}-{len(written)}.tmp")
            with _told(path):
                content = write(tree, levels)
                if isinstance(content, str):
                    content = content.encode()
                with open(temporary, "xb") as file:
                    written[temporary] = path, target
                    file.write(content)
        for temporary, (path, target) in written.items():
            with _told(path):
                if target.exists():
                    shutil.copymode(target, temporary)
                os.replace(temporary, target)
    finally:
        for temporary in written:
            temporary.unlink(missing_ok=True)


@contextmanager
def _told(path):
    """Tell the warnings and faults of an output in one line each."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        warnings.simplefilter("ignore", DeprecationWarning)  # some are UserWarnings as well
        try:
            yield
        except OSError as error:
            raise InputError(f"--out {path}: {error.strerror or error}.") from None
        except UnicodeError as error:
            raise InputError(f"--out {path}: a name cannot be written ({error}).") from None
    tell(caught, f"--out {path}: ")


def tell(caught, where=""):
    """Tell each warning in one line, once."""
    for message in dict.fromkeys(str(warning.message) for warning in caught):
        print(f"skl2h: warning: {where}{message}", file=sys.stderr)
