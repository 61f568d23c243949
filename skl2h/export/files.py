"""Files that the command line writes: what their endings mean, and all of them or none.

A writer takes a tree and the levels that were asked for, and gives a str or bytes.
"""

import errno
import io
import os
import secrets
import shutil
import stat
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from ..exceptions.faults import InputError, doing, signals_held, telling
from ..exceptions.texts import printable, shown_text
from .nested_json import export_json
from .newick import export_newick
from .tables import csv_writer, export_csv, safe_names
from .text import export_text

__all__ = ["check_outputs", "groups_table", "page", "picture", "text", "write_all", "writer"]

MOST_BRANCHES = 60  # of a dendrogram; a radial tree has room for more

N_GROUPS = 10  # that a picture colours unasked


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


def groups_table(tree, levels, leaves, safe=False):
    """Table with a line for each row: its leaf, the name of that, and its group at each level."""
    names = safe_names(tree.names) if safe else tree.names
    groups = {f"level_{level}": tree.cut(level).tolist() for level in levels}
    columns = {"leaf": range(tree.n_leaves), "name": names} | groups
    lines = []  # the first, and that of each leaf, which all of its rows have
    table = csv_writer(SimpleNamespace(write=lines.append), tree.names)
    table.writerow(columns)
    table.writerows(zip(*columns.values()))
    first, *lines = lines
    return first + "".join(np.array(lines, dtype=object)[leaves])


def page(tree, levels):
    """Page to explore in a browser, which starts at the first level."""
    from .html_page import export_html

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

    from ..plotting.dendrogram import DendrogramDisplay

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


def writer(path, safe):
    """Writer of the ending of a path; `safe` is of tables, whose names are to be no formulas."""
    if safe and _ending(path) == ".csv":
        return lambda tree, levels: export_csv(tree, levels=levels, safe=True)
    return WRITERS[_ending(path)]


def _ending(path, endings=tuple(WRITERS)):
    for ending in endings:
        if path.name.lower().endswith(ending):
            return ending
    raise InputError(
        f"--out {shown_text(path)}: the ending says what to write, one of {', '.join(endings)}."
    )


def check_outputs(paths, inputs, endings=tuple(WRITERS)):
    """Refuse what could not be written before the work begins."""
    seen = dict.fromkeys(
        (os.path.realpath(path) for path in inputs if path is not None), "what is read"
    )
    for path in paths:
        if _ending(path, endings) in PICTURES:
            try:
                import matplotlib  # noqa: F401 (whether it is there)
            except ImportError:
                raise InputError(
                    f"--out {shown_text(path)}: "
                    'a picture needs matplotlib: pip install "skl2h[plot]".'
                ) from None
        with doing(f"--out {path}"):
            target = Path(os.path.realpath(path))  # a link stays a link
            if str(target) in seen:
                raise InputError(
                    f"--out {shown_text(path)}: would overwrite {shown_text(seen[str(target)])}."
                )
            seen[str(target)] = f"--out {path}"
            _check_place(path, target)


def _check_place(path, target):
    """Refuse a place where no file can be written."""
    try:
        mode = os.stat(target).st_mode
    except FileNotFoundError:
        mode = None
        os.stat(target.parent)
    if mode is not None and stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    writable = os.access(target.parent, os.W_OK) and (mode is None or os.access(target, os.W_OK))
    if not writable:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    if mode is not None and not stat.S_ISREG(mode):
        raise InputError(f"--out {shown_text(path)}: is no regular file, so it cannot be replaced.")


def write_all(writers, tree, levels):
    """Write all files whole, or none of them."""
    written = {}
    try:
        for path, write in writers.items():
            where = f"--out {path}"
            with doing(where), telling(where):
                content = write(tree, levels)
                if isinstance(content, str):
                    content = content.encode()
                target = Path(os.path.realpath(path))
                # Short, as the name of the target may be as long as a name can be; and random, as
                # another run may be writing, or have been killed.
                temporary = target.with_name(f".skl2h-{secrets.token_hex(8)}.tmp")
                written[temporary] = path, target
                with open(temporary, "xb", opener=_like(target)) as file:
                    file.write(content)
        with signals_held():
            for temporary, (path, target) in written.items():
                with doing(f"--out {path}"):
                    os.replace(temporary, target)
    finally:
        for temporary in written:
            with suppress(OSError):
                temporary.unlink()


def _like(target):
    """Opener of a new file that has the mode of a target, if that is there, from the start."""

    def opener(path, flags):
        if not target.exists():
            return os.open(path, flags, 0o666)  # less what the user's mask takes away
        descriptor = os.open(path, flags, 0o600)
        shutil.copymode(target, path)
        return descriptor

    return opener
