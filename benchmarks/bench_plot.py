"""Time to draw 1,000 leaves and save a PNG of 100 dots per inch, compared with SciPy's dendrogram.

    python benchmarks/bench_plot.py

SciPy draws the same linkage as a rectangle, with the same labels, in a figure of the same size.
Figures of rectangles are 80 inches high, so that both name the leaves. Each time is the shortest of
three, with empty caches of labels, as in a new process. Ratios are to SciPy's time. The chain of
100,000 leaves is collapsed, which is the default. SciPy's dendrogram is recursive, and cannot draw
it.
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
            # Labels are large enough to read, and the figure is large enough to hold them.
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
    """Shortest seconds to make a figure and draw it on the canvas, and to save it."""
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
