"""The algorithm evaluated plainly: one row, one leaf, one merge at a time.

Written from the definition alone, to check the package against. Weights and scores are exact
fractions, sums of floats are rounded once, and nothing is kept from one merge to the next but
the doubt of each row and the score of each group, which is that of its leaves alone.
"""

from fractions import Fraction
from math import exp, fsum, inf, nan

TIE = Fraction(1, 10**9)


def plain_merges(logits, weights=None, aggregation="sum_of_means"):
    """Merges [(selected, partner)], selected scores, and nodes whose rows could go nowhere."""
    rows = [[float(value) for value in row] for row in logits]
    n_leaves = len(rows[0])
    weights = [1] * len(rows) if weights is None else [Fraction(float(w)) for w in weights]
    # Only the order of the means matters: in this unit no product of weights underflows.
    unit = min(max(weights), 1) or 1
    in_unit = [w / unit for w in weights]
    leaf_of = [max(range(n_leaves), key=row.__getitem__) for row in rows]
    doubt_of = [_doubt(row, leaf) for row, leaf in zip(rows, leaf_of)]

    groups = {leaf: [leaf] for leaf in range(n_leaves)}  # in the order they were formed
    mass_and_doubt = {
        leaf: _score(leaves, leaf_of, doubt_of, weights, aggregation)
        for leaf, leaves in groups.items()
    }
    children, scores, stranded = [], [], []
    while len(groups) > 1:
        selected = _earliest_smallest(mass_and_doubt)
        profile = _profile(groups[selected], rows, leaf_of, in_unit)
        means = {
            node: fsum(profile[leaf] for leaf in leaves) / len(leaves)
            for node, leaves in groups.items()
            if node != selected
        }
        best = max(means.values())
        if best == 0:
            stranded.append(selected)
        partner = next(node for node, mean in means.items() if mean >= best * (1 - 1e-9))
        (mass, doubt), _ = mass_and_doubt.pop(selected), mass_and_doubt.pop(partner)
        children.append((selected, partner))
        scores.append(float(mass - doubt))
        node, leaves = n_leaves + len(children) - 1, groups.pop(selected) + groups.pop(partner)
        groups[node] = leaves
        mass_and_doubt[node] = _score(leaves, leaf_of, doubt_of, weights, aggregation)
    return children, scores, stranded


def _doubt(row, leaf):
    outside = fsum(exp(value - row[leaf]) for c, value in enumerate(row) if c != leaf)
    return outside / (1 + outside)


def _score(leaves, leaf_of, doubt_of, weights, aggregation):
    weight, doubts = {}, {}
    for leaf in leaves:
        rows = [x for x, of in enumerate(leaf_of) if of == leaf]
        weight[leaf] = sum((Fraction(weights[x]) for x in rows), Fraction(0))
        doubts[leaf] = fsum(float(weights[x]) * doubt_of[x] for x in rows)
    if aggregation == "sum":
        return sum(weight.values()), Fraction(fsum(doubts.values()))
    if aggregation == "mean":
        total = sum(weight.values())
        return (Fraction(1), Fraction(fsum(doubts.values())) / total) if total else (0, 0)
    means = [Fraction(doubts[c]) / weight[c] for c in leaves if weight[c]]
    return Fraction(len(means)), sum(means, Fraction(0))


def _earliest_smallest(mass_and_doubt):
    score = {node: mass - doubt for node, (mass, doubt) in mass_and_doubt.items()}
    smallest = min(score, key=score.get)
    doubt = mass_and_doubt[smallest][1]
    return next(
        node
        for node in score
        if score[node] - score[smallest] <= TIE * (mass_and_doubt[node][1] + doubt)
    )


def _profile(leaves, rows, leaf_of, weights):
    n_leaves = len(rows[0])
    parts = [[] for _ in range(n_leaves)]
    inside = [x for x, leaf in enumerate(leaf_of) if leaf in leaves and weights[x] > 0]
    for x in inside:
        outside = [c for c in range(n_leaves) if c not in leaves and rows[x][c] > -inf]
        if outside:
            target = max(outside, key=rows[x].__getitem__)
            total = fsum(exp(rows[x][c] - rows[x][target]) for c in outside)
            parts[target].append(float(weights[x]) / total)
    if not inside:
        for row, leaf, weight in zip(rows, leaf_of, weights):
            total = fsum(exp(value - row[leaf]) for value in row)
            parts[leaf] += [float(weight) * exp(row[c] - row[leaf]) / total for c in leaves]
    return [fsum(part) for part in parts]


def plain_profiles(logits, weights=None):
    """Line for each leaf: where its rows would go without it."""
    rows = [[float(value) for value in row] for row in logits]
    weights = [1] * len(rows) if weights is None else weights
    leaves = range(len(rows[0]))
    leaf_of = [max(leaves, key=row.__getitem__) for row in rows]
    lines = [_profile([leaf], rows, leaf_of, weights) for leaf in leaves]
    return [[line[c] if c != leaf else 0.0 for c in leaves] for leaf, line in enumerate(lines)]


def plain_evidence(logits, children, weights=None):
    """For given merges: means of the other groups, share of rows, and what rows add at the partner.

    Yields a dict by node, a float that is nan for a group without rows, and a dict by row.
    """
    rows = [[float(value) for value in row] for row in logits]
    n_leaves = len(rows[0])
    weights = [1.0] * len(rows) if weights is None else [float(weight) for weight in weights]
    leaf_of = [max(range(n_leaves), key=row.__getitem__) for row in rows]
    groups = {leaf: [leaf] for leaf in range(n_leaves)}
    for t, (selected, partner) in enumerate(children):
        inside = groups.pop(selected)
        profile = _profile(inside, rows, leaf_of, weights)
        means = {
            node: fsum(profile[leaf] for leaf in leaves) / len(leaves)
            for node, leaves in groups.items()
        }
        there, adds = groups.pop(partner), {}
        own = [x for x, leaf in enumerate(leaf_of) if leaf in inside and weights[x] > 0]
        for x in own:
            outside = [c for c in range(n_leaves) if c not in inside and rows[x][c] > -inf]
            target = max(outside, key=rows[x].__getitem__, default=None)
            if target in there:
                total = fsum(exp(rows[x][c] - rows[x][target]) for c in outside)
                adds[x] = weights[x] / total
        share = fsum(weights[x] for x in adds) / fsum(weights[x] for x in own) if own else nan
        if not own:
            for x, (row, leaf) in enumerate(zip(rows, leaf_of)):
                if leaf in there and weights[x] > 0:
                    total = fsum(exp(value - row[leaf]) for value in row)
                    adds[x] = weights[x] * fsum(exp(row[c] - row[leaf]) for c in inside) / total
        yield means, share, {x: mass for x, mass in adds.items() if mass > 0}
        groups[n_leaves + t] = inside + there
