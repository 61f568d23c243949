"""The trees of the pages, drawn, and what they say of WordNet.

    python benchmarks/draw_trees.py FOLDER --out doc/images

FOLDER holds imagenet_votes.npz or clinc150_logits.npz, as bench_trees.py describes them, with the
`names` of the leaves, and of the first also the numbers of WordNet (`wnid`), of the second the
`domains`. These pictures are written to the folder --out:

imagenet_radial.png   the affinity tree of ImageNet, coloured by kingdom
imagenet_birds.png    its clade that is nearest to the birds
clinc150_trees.png    the affinity tree and that of L2H, coloured by domain
"""

import argparse
from collections import Counter
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas
from bench_merge import print_versions
from bench_trees import nested_columns
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from PIL import Image
from scipy.sparse import csr_matrix

from skl2h import (
    DendrogramDisplay,
    L2HClustering,
    MergeTree,
    affinity_tree,
    l2h_tree,
    merge_evidence,
    metrics,
    surprises,
)

# Groups of WordNet, by the number that stands in the line of ancestors of their members.
SYNSETS = {
    "organisms": "n00004475",
    "artifacts": "n00021939",
    "animals": "n00015388",
    "dogs": "n02084071",
    "birds": "n01503061",
    "snakes": "n01726692",
    "lizards": "n01674464",
    "insects": "n02159955",
    "fishes": "n02512053",
    "primates": "n02469914",
    "hoofed mammals": "n02370806",
    "fruits": "n13134947",
    "fungi": "n12992868",
    "musical instruments": "n03800933",
    "ships and boats": "n04530566",
    "vehicles": "n04524313",
    "clothing": "n03051540",
    "furniture": "n03405725",
    "buildings": "n02913152",
}

# Larger groups need no name in the picture: their colours are explained.
MOST_LEAVES_OF_NAME = 200

# Of a picture: no shade of text gets lost, and the files are small.
N_COLORS = 128


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="where the files are; see above")
    parser.add_argument("--out", type=Path, required=True, help="folder of the pictures")
    arguments = parser.parse_args()
    print_versions()
    for name, report in (
        ("imagenet_votes.npz", report_imagenet),
        ("clinc150_logits.npz", draw_clinc150),
    ):
        if (arguments.folder / name).exists():
            with np.load(arguments.folder / name) as data:
                report(data, arguments.out)


def report_imagenet(data, out):
    votes = csr_matrix((data["data"], data["indices"], data["indptr"]), data["shape"])
    paths, kingdoms = data["wordnet_path"], data["kingdom"]
    names = names_apart(data["names"], data["wnid"])
    votes = pandas.DataFrame.sparse.from_spmatrix(votes, columns=names)  # names the leaves
    models = {
        name: L2HClustering("precomputed", input="probabilities", method=name.lower()).fit(votes)
        for name in ("L2H", "affinity")
    }
    trees = {name: model.tree_ for name, model in models.items()}
    print_wordnet(trees, paths)
    reference = nested_columns(paths)
    for name, model in models.items():
        found = surprises(model, reference, evidence=merge_evidence(model, votes))
        print(f"\n{len(found)} of the {len(names) - 1} merges of {name} contradict WordNet:")
        print("\n".join(found.lines()[:12]))

    draw_imagenet(trees["affinity"], paths, kingdoms, out / "imagenet_radial.png")
    draw_birds(trees["affinity"], data["bird"], out / "imagenet_birds.png")


def draw_imagenet(tree, paths, kingdoms, path):
    """All leaves, with names of the groups of WordNet that have a clade much like them."""
    figure = Figure(figsize=(9, 8.5), layout="constrained")
    ax = figure.subplots()
    display = DendrogramDisplay.from_tree(
        tree,
        ax=ax,
        layout="radial",
        heights="rank",
        leaf_classes=kingdoms,
        show_labels=False,
        legend=False,
        line_kw={"linewidths": 0.5},
    )
    tiles = [tile.vertices.mean(axis=0) for tile in display.tiles_.get_paths()]
    for name, synset in SYNSETS.items():
        node, _, likeness = nearest_clade(tree, (paths == synset).any(axis=1))
        if likeness >= 0.6 and tree.sizes[node] < MOST_LEAVES_OF_NAME:
            x, y = tiles[tree.starts[node] + tree.sizes[node] // 2]
            sides = {"ha": "left" if x > 0 else "right", "va": "bottom" if y > 0 else "top"}
            ax.text(1.03 * x, 1.03 * y, name, fontsize=9, **sides)
    draw_legend(figure, display, kingdoms, ncols=3)
    save(figure, path)


def draw_birds(tree, is_bird, path):
    node, _, _ = nearest_clade(tree, is_bird)
    figure = Figure(figsize=(7.5, 9), layout="constrained")
    DendrogramDisplay.from_tree(clade_of(tree, node), ax=figure.subplots(), level=8, legend=False)
    save(figure, path)
    outside = np.setdiff1d(np.flatnonzero(is_bird), tree.members(node))
    print("\nbirds outside the clade of birds, and what each is merged with first")
    for leaf in outside:
        beside = [other for other in tree.members(tree.parents[leaf]) if other != leaf]
        named = ", ".join(tree.names[other] for other in beside[:4])
        print(f"  {tree.names[leaf]} ({tree.counts[leaf]} rows): {named}")


def draw_legend(figure, display, classes, ncols):
    """Colours of the classes of leaves, below everything."""
    colors = dict(zip(classes[display.layout_.tips], display.tiles_.get_facecolor()))
    patches = [Patch(color=colors[name], label=name.replace("_", " ")) for name in sorted(colors)]
    figure.legend(handles=patches, loc="outside lower center", ncols=ncols, frameon=False)


def save(figure, path):
    """Write a PNG of few colours, which is a third as large."""
    with BytesIO() as file:
        figure.savefig(file, dpi=100)
        picture = Image.open(file).convert("RGB")
        picture.quantize(N_COLORS, Image.Quantize.MAXCOVERAGE).save(path, optimize=True)


def print_wordnet(trees, paths):
    """How near each tree is to WordNet as a whole, and to some of its groups."""
    reference = nested_columns(paths)
    heads = "".join(f"{name:>18}" for name in trees)
    print(f"{'all of WordNet':26}{heads}")
    for name, figure in (
        ("triplets", metrics.triplet_accuracy),
        ("rank correlation", metrics.cophenetic_correlation),
        ("shared clades", metrics.shared_clades),
    ):
        values = "".join(f"{figure(tree, reference):18.2f}" for tree in trees.values())
        print(f"{name:26}{values}")
    print("\nthe nearest clade: leaves in common, of how many; both over what is in either")
    print(f"{'group':20}leaves{heads}")
    for name, synset in SYNSETS.items():
        own = (paths == synset).any(axis=1)
        texts = []
        for tree in trees.values():
            node, common, likeness = nearest_clade(tree, own)
            texts.append(f"{common:4} of {tree.sizes[node]:3}  {likeness:4.2f}")
        print(f"{name:20}{own.sum():6}" + "".join(f"{text:>18}" for text in texts))


def nearest_clade(tree, own):
    """Node whose leaves have most in common with some leaves, how many, and of those in either."""
    common = np.array([own[tree.members(node)].sum() for node in range(tree.n_nodes)])
    likeness = common / (tree.sizes + own.sum() - common)
    node = likeness.argmax()
    return node, common[node], likeness[node]


def clade_of(tree, node):
    """The tree of the leaves below a node alone."""
    leaves = tree.members(node)
    inside = [*leaves]
    inside += [inner for inner in range(tree.n_leaves, node + 1) if node in tree.path(inner)]
    number = {old: new for new, old in enumerate(inside)}
    merges = np.array(inside[len(leaves) :]) - tree.n_leaves
    children = [[number[child] for child in tree.children[merge]] for merge in merges]
    names = [tree.names[leaf] for leaf in leaves]
    return MergeTree(children, scores=tree.scores[merges], names=names, method=tree.method)


def names_apart(names, keys):
    """Names, with a key behind those that several leaves have."""
    times = Counter(names)
    return [f"{name} ({key})" if times[name] > 1 else str(name) for name, key in zip(names, keys)]


def draw_clinc150(data, out):
    domains = data["domains"][data["domain_of"]]
    trees = {"affinity": affinity_tree(data["logits"]), "L2H": l2h_tree(data["logits"])}
    figure = Figure(figsize=(11, 6), layout="constrained")
    for ax, (name, tree) in zip(figure.subplots(1, 2), trees.items()):
        purity = metrics.superclass_purity(tree, domains, adjusted=True)
        display = DendrogramDisplay.from_tree(
            tree.with_names(data["names"].tolist()),
            ax=ax,
            layout="radial",
            heights="rank",
            leaf_classes=domains,
            legend=False,
        )
        ax.set_title(f"{name}: adjusted purity {purity:.2f}")
    draw_legend(figure, display, domains, ncols=5)
    pairs = [
        {tuple(sorted(pair)) for pair in tree.children.tolist() if max(pair) < tree.n_leaves}
        for tree in trees.values()
    ]
    of_affinity, of_l2h = pairs
    print(
        f"\npairs of intents: {len(of_affinity)} of affinity, {len(of_l2h)} of L2H, "
        f"{len(of_affinity & of_l2h)} of both"
    )
    save(figure, out / "clinc150_trees.png")


if __name__ == "__main__":
    main()
