"""The affinity tree evaluated plainly: one row, one pair of leaves at a time, in float64.

Written from the definition alone, to check the package against. All pairs are kept in full, sums of
floats are rounded once, and the temperature is found by halving.
"""

from math import exp, fsum, inf, log, log1p, sqrt

import numpy as np

# Differences below this, beside what was subtracted, are rounding.
ROUNDING = 1e-9


def plain_affinity(logits, weights=None, temperature=None):
    """Distances by pair and likeness; at a temperature, or the one that is found."""
    rows = [[float(value) for value in row] for row in logits]
    weights = [1.0] * len(rows) if weights is None else [float(weight) for weight in weights]
    if temperature is None:
        temperature = plain_temperature(rows, weights)
    return plain_distances(plain_shares(rows, weights, temperature))


def plain_temperature(rows, weights):
    """Temperature at which rows of a sample go to four leaves, or 1."""
    n_leaves = len(rows[0])
    if n_leaves < 4:
        return 1.0
    target = target_of(n_leaves)
    low, high = log(1e-4), log(1e4)
    ends = [plain_entropy(rows, weights, exp(end)) for end in (low, high)]
    if ends[0] is None or ends[0] > target - ROUNDING or ends[1] < target + ROUNDING:
        return 1.0
    while high - low > 1e-13:
        middle = (low + high) / 2
        if middle in (low, high):
            break
        if plain_entropy(rows, weights, exp(middle)) > target:
            high = middle
        else:
            low = middle
    return exp((low + high) / 2)


def target_of(n_leaves):
    """Entropy that the temperature is to give."""
    return log(4) if n_leaves >= 9 else log((n_leaves - 1) / 2)


def plain_entropy(rows, weights, temperature):
    """Weighted mean of the entropy of where rows would go, or None."""
    n_rows = len(rows)
    n_places = min(n_rows, 2000)
    entropies, counting = [], []
    for i in range(n_places):
        row, weight = rows[i * n_rows // n_places], weights[i * n_rows // n_places]
        q = outside(row, temperature)
        if q is not None and weight > 0:
            entropies.append(weight * -fsum(share * log(share) for share in q if share > 0))
            counting.append(weight)
    return fsum(entropies) / fsum(counting) if counting else None


def outside(row, temperature):
    """Softmax over all leaves but the row's own, 0 there; None if nothing is there."""
    own = max(range(len(row)), key=row.__getitem__)
    others = [value for leaf, value in enumerate(row) if leaf != own]
    largest = max(others, default=-inf)
    if largest == -inf:
        return None
    e = [
        0.0 if leaf == own else exp((value - largest) / temperature)
        for leaf, value in enumerate(row)
    ]
    total = fsum(e)
    return [value / total for value in e]


def plain_shares(rows, weights, temperature):
    """Where the rows of each leaf would go."""
    n_leaves = len(rows[0])
    parts = [[[] for _ in range(n_leaves)] for _ in range(n_leaves)]
    total = [[] for _ in range(n_leaves)]
    for row, weight in zip(rows, weights):
        own = max(range(n_leaves), key=row.__getitem__)
        total[own].append(weight)
        q = outside(row, temperature)
        if q is not None:
            for leaf in range(n_leaves):
                parts[own][leaf].append(weight * q[leaf])
    return [
        [fsum(part) / fsum(weighed) if fsum(weighed) > 0 else 0.0 for part in line]
        for line, weighed in zip(parts, total)
    ]


def plain_distances(R):
    """Distances by pair (later, earlier), and likeness, of shares without a diagonal."""
    n_leaves = len(R)
    pi = [fsum(R[a][b] for a in range(n_leaves)) / n_leaves for b in range(n_leaves)]

    def lift(a, b):
        return R[a][b] / pi[b] if pi[b] > 0 else 0.0

    L = [
        [0.0 if a == b else log1p((lift(a, b) + lift(b, a)) / 2) for b in range(n_leaves)]
        for a in range(n_leaves)
    ]
    if n_leaves == 1:
        return {}, L
    largest = max(L[a][b] for a in range(n_leaves) for b in range(n_leaves) if a != b)
    pairs = [(a, b) for a in range(n_leaves) for b in range(a)]
    first = {(a, b): largest - L[a][b] for a, b in pairs}
    lines = _unit_lines(L, largest)
    second = {
        (a, b): sqrt(fsum((x - y) ** 2 for x, y in zip(lines[a], lines[b]))) for a, b in pairs
    }
    distance = dict.fromkeys(pairs, 0.0)
    for of_pair, size in ((first, largest), (second, 1.0)):
        mean = fsum(of_pair.values()) / len(pairs)
        deviation = sqrt(fsum((value - mean) ** 2 for value in of_pair.values()) / len(pairs))
        if deviation > ROUNDING * size:
            for pair in pairs:
                distance[pair] += of_pair[pair] / deviation
    return distance, L


def _unit_lines(L, largest):
    leaves = range(len(L))

    def without(values, leaf):
        return [value for at, value in enumerate(values) if at != leaf]

    C = []
    for a in leaves:
        mean = fsum(without(L[a], a)) / (len(L) - 1)
        C.append([value - mean for value in L[a]])
    means = [fsum(without([C[a][b] for a in leaves], b)) / (len(L) - 1) for b in leaves]
    lines = []
    for a in leaves:
        line = [value - mean for value, mean in zip(C[a], means)]
        line[a] = max(without(line, a))
        length = sqrt(fsum(value * value for value in line))
        lines.append([value / length if length > ROUNDING * largest else 0.0 for value in line])
    return lines


def plain_heights(distance, children):
    """Of given merges: mean distance of the leaves of the two groups, and the least there is.

    Average linkage merges the closest groups; of several that are equally close, any.
    """
    n_leaves = len(children) + 1
    size = dict.fromkeys(range(n_leaves), 1)
    between = dict(distance)  # by (later, earlier) node
    for t, pair in enumerate(children):
        a, b = max(pair), min(pair)
        least = min(between.values())
        yield between.pop((a, b)), least
        n_a, n_b = size.pop(a), size.pop(b)
        for other in size:
            to_a = between.pop((max(a, other), min(a, other)))
            to_b = between.pop((max(b, other), min(b, other)))
            between[n_leaves + t, other] = (n_a * to_a + n_b * to_b) / (n_a + n_b)
        size[n_leaves + t] = n_a + n_b


def follows(children, heights, distances):
    """Heights to nine digits, and the closest groups first, but for what is as close."""
    steps = plain_heights(distances, np.asarray(children, dtype=int).tolist())
    expected, least = np.array([*steps]).reshape(-1, 2).T
    size = max(distances.values(), default=0.0)
    np.testing.assert_allclose(heights, expected, rtol=1e-9, atol=1e-9 * size)
    np.testing.assert_allclose(expected, least, rtol=1e-9, atol=1e-9 * size)
    return True


def plain_affinity_evidence(logits, children, weights, temperature):
    """Of each merge: means by other node, sent, lifts, share, and what rows add, as dicts."""
    rows = [[float(value) for value in row] for row in logits]
    n_leaves = len(rows[0])
    R = plain_shares(rows, weights, temperature)
    distance, _ = plain_distances(R)
    own = [max(range(n_leaves), key=row.__getitem__) for row in rows]
    leaves_of = {leaf: [leaf] for leaf in range(n_leaves)}

    def mean(a, b):
        pairs = [(max(x, y), min(x, y)) for x in leaves_of[a] for y in leaves_of[b]]
        return fsum(distance[pair] for pair in pairs) / len(pairs)

    def sent(senders, to):
        return fsum(R[a][b] for a in senders for b in leaves_of[to]) / len(senders)

    for t, (a, b) in enumerate(children):
        others = {
            node: min(mean(a, node), mean(b, node)) for node in leaves_of if node not in (a, b)
        }
        exchange = [sent(leaves_of[a], b), sent(leaves_of[b], a)]
        on_average = [sent(range(n_leaves), b), sent(range(n_leaves), a)]
        lifts = [x / y if y > 0 else 0.0 for x, y in zip(exchange, on_average)]
        going, total, adds = [], [], {}
        for x, (row, weight) in enumerate(zip(rows, weights)):
            for here, there in ((a, b), (b, a)):
                if own[x] not in leaves_of[here]:
                    continue
                q = outside(row, temperature)
                mass = weight * fsum(q[leaf] for leaf in leaves_of[there]) if q else 0.0
                if mass > 0:
                    adds[x] = mass
                if here == a:
                    total.append(weight)
                    left = [leaf for leaf in range(n_leaves) if leaf not in leaves_of[a]]
                    best = max(left, key=row.__getitem__)
                    if best in leaves_of[b] and row[best] > -inf:
                        going.append(weight)
        share = fsum(going) / fsum(total) if fsum(total) > 0 else None
        has_rows = [
            any(w > 0 and leaf in leaves_of[node] for w, leaf in zip(weights, own))
            for node in (a, b)
        ]
        yield mean(a, b), others, exchange, lifts, share, has_rows, adds
        leaves_of[n_leaves + t] = leaves_of.pop(a) + leaves_of.pop(b)
