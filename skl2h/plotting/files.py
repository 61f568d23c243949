"""Pictures of a tree as files, of which each kind has an ending.

A writer takes a tree and the levels that were asked for, and gives bytes.
"""

import io
from functools import partial

from ..exceptions.faults import InputError
from ..exceptions.texts import shown_text
from ..export.tree_files import level_to_show

__all__ = ["WRITERS", "check_matplotlib", "picture"]

MOST_BRANCHES = 60  # of a dendrogram; a radial tree has room for more


def check_matplotlib(paths):
    """Refuse to write pictures without what draws them."""
    for path in paths:
        if path.name.lower().endswith(tuple(WRITERS)):
            try:
                import matplotlib  # noqa: F401 (whether it is there)
            except ImportError:
                raise InputError(
                    f"--out {shown_text(path)}: "
                    'a picture needs matplotlib: pip install "skl2h[plot]".'
                ) from None


def picture(tree, levels, *, kind, layout=None):
    """Picture of the kind of file that matplotlib writes, coloured by the groups of a level."""
    import matplotlib
    from matplotlib import pyplot

    from .dendrogram import DendrogramDisplay

    if layout is None:
        layout = "rectangular" if tree.n_leaves <= MOST_BRANCHES else "radial"
    matplotlib.use("agg")  # to write files, a screen is not needed
    dated = {"svg": "Date", "pdf": "CreationDate"}.get(kind)
    metadata = {dated: None} if dated else None
    file = io.BytesIO()
    # The same tree gives the same file.
    with matplotlib.rc_context({"svg.hashsalt": "skl2h"}):
        display = DendrogramDisplay.from_tree(
            tree, layout=layout, level=level_to_show(tree, levels)
        )
        try:
            display.figure_.savefig(
                file, format=kind, dpi=200, bbox_inches="tight", metadata=metadata
            )
        finally:
            pyplot.close(display.figure_)
    return file.getvalue()


WRITERS = {f".{kind}": partial(picture, kind=kind) for kind in ("png", "svg", "pdf")}
