"""The paper's sensitivity figure: every metric for K from below to above the true number.

    python benchmarks/sensitivity.py --out sensitivity_digits.png
    python benchmarks/sensitivity.py FILE --superclasses NAME --clusters 50 100 150 200 300 ...

FILE and the other options are those of paper_table.py. Figures are printed as soon as they are
ready, and drawn at the end: means over the seeds, with a band of one standard deviation. The loss
is that of the flat model over log K, if the model has a loss. With --numbers CSV the figures are
also written to that file. If the file exists, they are read from it and drawn again without a fit.
"""

import argparse
import csv
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from paper_table import (
    COLUMNS,
    MODELS,
    add_arguments,
    figures_of,
    leaves_and_tree,
    make_model,
    print_head,
    print_means,
    read_data,
)

LOSS = "loss"

NAMES = {
    "NMI": "mutual information (NMI)",
    "ARI": "adjusted Rand (ARI)",
    "ACC": "accuracy (ACC)",
    "LP": "leaf purity (LP)",
    "DP": "dendrogram purity (DP)",
    "DP adj": "DP, adjusted",
    "SP": "superclass purity (SP)",
    "SP adj": "SP, adjusted",
    "triplets": "triplets of superclasses",
}

# From the palette of Okabe and Ito, which colour-blind people can distinguish.
STYLES = {
    "L2H-KMeans": {"color": "#0072B2", "marker": "o"},
    "L2H-TURTLE": {"color": "#D55E00", "marker": "s"},
    "L2H-TEMI": {"color": "#009E73", "marker": "^"},
}


class Point(NamedTuple):
    """The fits of one model and one K, a dict of figures for each seed."""

    model: str
    n_clusters: int
    fits: list


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_arguments(parser, [name for name in MODELS if name in STYLES])
    parser.add_argument(
        "--clusters", nargs="+", type=int, metavar="K", help="default: 0.2 to 3 times the true K"
    )
    parser.add_argument("--out", type=Path, required=True, help="a .png or .svg")
    parser.add_argument("--numbers", type=Path, metavar="CSV", help="read if there, else written")
    arguments = parser.parse_args()
    if arguments.out.suffix not in (".png", ".svg") or not arguments.out.parent.is_dir():
        parser.error(f"--out needs a .png or .svg in a folder that is there, got {arguments.out}")
    if min(arguments.clusters or [2]) < 2:
        parser.error("--clusters must be at least 2, of which the loss over log K is a number")
    data = read_data(parser, arguments)
    print_head(data, arguments.seeds, [LOSS, *COLUMNS])
    is_there = arguments.numbers and arguments.numbers.exists()
    points = []
    for point in read_points(arguments.numbers) if is_there else fit_points(data, arguments):
        print_means(f"{point.model}, K = {point.n_clusters}", point.fits, [LOSS, *COLUMNS])
        points.append(point)
    if arguments.numbers and not is_there:
        write_points(arguments.numbers, points)
    draw(points, data).savefig(part_of(arguments.out), dpi=120)
    part_of(arguments.out).replace(arguments.out)


def fit_points(data, arguments):
    factors = np.array([0.2, 0.5, 0.8, 1, 1.2, 1.5, 2, 3])
    given = np.maximum(np.rint(factors * data.n_classes).astype(int), 2)
    numbers = arguments.clusters or np.unique(given).tolist()
    for name in arguments.models:
        for n_clusters in numbers:
            fits = []
            for seed in range(arguments.seeds):
                start = perf_counter()
                model = make_model(name, n_clusters, seed, arguments)
                leaves, tree = leaves_and_tree(model, data.X)
                seconds = perf_counter() - start
                loss = getattr(model.estimator_, "loss_", np.nan) / np.log(n_clusters)
                fits.append({LOSS: loss, **figures_of(leaves, tree, data), "s": seconds})
            yield Point(name, n_clusters, fits)


def read_points(path):
    with open(path, newline="") as file:
        lines = [(line.pop("model"), int(line.pop("K")), line) for line in csv.DictReader(file)]
    for (model, n_clusters), group in groupby(lines, key=itemgetter(0, 1)):
        fits = [{name: float(figure) for name, figure in line.items()} for *_, line in group]
        yield Point(model, n_clusters, fits)


def write_points(path, points):
    with open(part_of(path), "w", newline="") as file:
        writer = csv.DictWriter(file, ["model", "K", LOSS, *COLUMNS])
        writer.writeheader()
        for model, n_clusters, fits in points:
            writer.writerows({"model": model, "K": n_clusters, **fit} for fit in fits)
    part_of(path).replace(path)


def part_of(path):
    """Path to which a file is written before it is renamed."""
    return path.with_name(f"part-{path.name}")


def draw(points, data):
    """A panel for each metric, and a panel for each model that has a loss."""
    models = list(dict.fromkeys(point.model for point in points))
    panels = [(column, title, models) for column, title in NAMES.items()]
    panels += [(LOSS, f"loss / log K, {model}", [model]) for model in models]
    panels = [panel for panel in panels if has_figures(points, panel)]
    n_rows = -(-len(panels) // 4)
    figure = Figure(figsize=(10, 0.8 + 2.1 * n_rows), layout="constrained")
    axes = figure.subplots(n_rows, 4, squeeze=False).ravel()
    largest = max(point.n_clusters for point in points)
    for ax, (column, title, shown) in zip(axes, panels):
        ax.axvline(data.n_classes, color="0.6", linestyle="--", linewidth=1, label="true K")
        for model in shown:
            numbers, means, spread = curve(points, model, column)
            ax.plot(numbers, means, markersize=4, linewidth=1.3, label=model, **STYLES[model])
            color = STYLES[model]["color"]
            ax.fill_between(numbers, means - spread, means + spread, color=color, alpha=0.2, lw=0)
        ax.set_xlim(0, 1.03 * largest)
        ax.set_title(title, fontsize=9)
        ax.tick_params(labelsize=8)
        ax.spines[["top", "right"]].set_visible(False)
    for ax in axes[len(panels) :]:
        ax.set_axis_off()
    lines, labels = axes[0].get_legend_handles_labels()
    figure.legend(lines, labels, loc="outside upper center", ncols=4, fontsize=9, frameon=False)
    figure.supxlabel("clusters K", fontsize=9)
    return figure


def has_figures(points, panel):
    column, _, models = panel
    return any(len(curve(points, model, column)[0]) for model in models)


def curve(points, model, column):
    """K, and the mean and standard deviation over the seeds, where there are figures."""
    shown = [point for point in points if point.model == model]
    numbers = np.array([point.n_clusters for point in shown])
    values = np.array([[fit[column] for fit in point.fits] for point in shown])
    means, spread = values.mean(axis=1), values.std(axis=1, ddof=1 if values.shape[1] > 1 else 0)
    there = ~np.isnan(means)
    return numbers[there], means[there], spread[there]


if __name__ == "__main__":
    main()
