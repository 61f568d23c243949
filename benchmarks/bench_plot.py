"""Time to draw 1,000 leaves and to write a PNG of 100 dots per inch, beside SciPy's dendrogram.

    python benchmarks/bench_plot.py

SciPy draws the same linkage with the same labels in a figure of the same size, as a rectangle; the
figures of a rectangle are 80 inches high, so that the leaves are named in either. Each time is the
shortest of three, without what the one before it left in the caches of labels, as in a new process;
the ratio is to SciPy's. The chain of 100,000 leaves is collapsed, as it is
unasked; SciPy's dendrogram is recursive, and does not draw it.
"""

import io
from time import perf_counter

import matplotlib
import numpy as np
from bench_merge import print_versions
from scipy.cluster.hierarchy import dendrogram, linkage

from skl2h import DendrogramDisplay, MergeTree

matplotlib.use("Agg")

from matplotlib import pyplot as plt

from skl2h.plotting import fast_text

N_LEAVES, N_REPEATS = 1000, 3
LABELS = {"short": "cluster {:03d}", "long": "a name of 36 characters, the {:7d}"}


def main():
    print_versions()
    print(f"matplotlib {matplotlib.__version__}")
    merges = linkage(np.random.default_rng(0).normal(size=(N_LEAVES, 8)), "average")
    for length, pattern in LABELS.items():
        names = [pattern.format(leaf) for leaf in range(N_LEAVES)]
        tree = MergeTree.from_linkage(merges, names=names)
        print(f"\n{N_LEAVES:,} leaves, {length} labels")
        for layout in ("rectangular", "radial", "icicle"):
            options = {"layout": layout, "max_leaves": None, "level": 20}
            # Labels in a size that can be read, on a figure that holds them.
            size = (10, 80) if layout != "radial" else None

            def ours(tree=tree, options=options, size=size):
                ax = plt.subplots(figsize=size)[1] if size else None
                return DendrogramDisplay.from_tree(tree, ax=ax, **options).figure_

            def scipys(names=names, size=size or (16.5, 16.5)):
                figure, ax = plt.subplots(figsize=size)
                dendrogram(merges, ax=ax, labels=names, orientation="left")
                return figure

            (draw, save), theirs = fastest(ours), fastest(scipys)
            print(
                f"{layout:12} draw {draw:5.2f} s  savefig {save:5.2f} s  all {draw + save:5.2f} s"
                f"  SciPy {sum(theirs):5.2f} s  ratio {(draw + save) / sum(theirs):5.2f}"
            )
    n_leaves = 100_000
    merged = np.append(0, np.arange(n_leaves, 2 * n_leaves - 2))
    chain = MergeTree(np.column_stack([merged, np.arange(1, n_leaves)]))
    print(f"\nchain of {n_leaves:,} leaves, collapsed")
    for layout in ("rectangular", "radial", "icicle"):

        def collapsed(layout=layout):
            return DendrogramDisplay.from_tree(chain, layout=layout).figure_

        draw, save = fastest(collapsed)
        print(f"{layout:12} draw {draw:5.2f} s  savefig {save:5.2f} s  all {draw + save:5.2f} s")


def fastest(make_figure):
    """Shortest seconds to draw on the canvas, making of the figure included, and to save it."""
    times = []
    for _ in range(N_REPEATS):
        for cached in (fast_text._outline, fast_text._glyph, fast_text._line, fast_text._ends):
            cached.cache_clear()
        start = perf_counter()
        figure = make_figure()
        figure.canvas.draw()
        drawn = perf_counter()
        figure.savefig(io.BytesIO(), format="png", dpi=100)
        times.append((drawn - start, perf_counter() - drawn))
        plt.close(figure)
    return min(times, key=sum)


if __name__ == "__main__":
    main()
