"""Time and size of the exports of two trees of 100,000 leaves: a chain and a balanced tree.

    python benchmarks/bench_export.py

Needs pandas and networkx. Each export is timed once, with a new tree.
"""

from time import perf_counter

import numpy as np
from bench_merge import print_versions

from skl2h import MergeTree, export

N_LEAVES = 100_000
EXPORTS = {
    "export_text": export.export_text,
    "export_text, level=1000": lambda tree: export.export_text(tree, level=1000),
    "export_newick": export.export_newick,
    'export_newick, heights="score"': lambda tree: export.export_newick(tree, heights="score"),
    "export_json": export.export_json,
    "export_json, 3 levels": lambda tree: export.export_json(tree, levels=[10, 1000, 50_000]),
    "export_json, nested=False": lambda tree: export.export_json(tree, nested=False),
    "export_csv": export.export_csv,
    "export_pandas": export.export_pandas,
    "export_networkx": export.export_networkx,
}


def main():
    print_versions()
    grown = np.r_[0, np.arange(N_LEAVES, 2 * N_LEAVES - 2)]
    shapes = {
        "chain": np.column_stack([grown, np.arange(1, N_LEAVES)]),
        "balanced": np.arange(2 * N_LEAVES - 2).reshape(-1, 2),
    }
    print(f"{'':31} " + " ".join(f"{shape:>17}" for shape in shapes))
    for name, run in EXPORTS.items():
        cells = [f"{name:31}"]
        for children in shapes.values():
            exported, seconds = timed(run, make_tree(children))
            size = f"{len(exported) / 1e6:6.1f} MB" if isinstance(exported, str) else ""
            cells.append(f"{seconds:6.2f} s {size:>9}")
        print(" ".join(cells), flush=True)
    for name, back in (("newick", export.from_newick), ("json", export.from_json)):
        options = {"nested": False} if name == "json" else {}
        cells = [f"from_{name:26}"]
        for children in shapes.values():
            text = getattr(export, f"export_{name}")(make_tree(children), **options)
            cells.append(f"{timed(back, text)[1]:6.2f} s {'':9}")
        print(" ".join(cells).rstrip())


def make_tree(children):
    rng = np.random.default_rng(0)
    return MergeTree(
        children,
        scores=np.sort(rng.random(N_LEAVES - 1)),
        names=[f"cluster, {leaf}" for leaf in range(N_LEAVES)],
        counts=rng.integers(1, 100, N_LEAVES),
    )


def timed(run, *arguments):
    start = perf_counter()
    result = run(*arguments)
    return result, perf_counter() - start


if __name__ == "__main__":
    main()
