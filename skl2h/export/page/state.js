// A tree of K leaves, as skl2h.MergeTree has it: nodes 0..K-1 are the leaves, K + t is the
// t-th merge, and a parent's number is larger than its children's. So every walk below is a
// loop over the nodes or a stack: nothing recurses, and a chain is as good as any tree.
// Names come from users: they reach the page through textContent and fillText alone.

const data = JSON.parse(document.getElementById("data").textContent);
const { names, children, scores, counts, support, colors, word_for_scores: scoreWord } = data;
const K = names.length;
const N = 2 * K - 1;
const ROOT = N - 1;
const ROW = 26; // height of a row of the tree, as in the style sheet
const STEP = 16; // indent of one generation
const FEW = 200; // members listed before the rest is asked for

const element = (id) => document.getElementById(id);
const isLeaf = (node) => node < K;
const first = (node) => children[2 * (node - K)];
const second = (node) => children[2 * (node - K) + 1];

const parent = new Int32Array(N).fill(-1);
const size = new Int32Array(N).fill(1);
const rows = counts && Float64Array.from({ length: N }, (_, node) => counts[node] || 0);
for (let node = K; node < N; node++) {
  const a = first(node);
  const b = second(node);
  parent[a] = parent[b] = node;
  size[node] = size[a] + size[b];
  if (rows) rows[node] = rows[a] + rows[b];
}
const depth = new Int32Array(N);
const start = new Int32Array(N); // first place of a node's leaves in the leaf order
for (let node = ROOT; node >= K; node--) {
  const a = first(node);
  const b = second(node);
  depth[a] = depth[b] = depth[node] + 1;
  start[a] = start[node];
  start[b] = start[node] + size[a];
}
const order = new Int32Array(K);
for (let leaf = 0; leaf < K; leaf++) order[start[leaf]] = leaf;

let level = 1;
let groups = new Int32Array(N); // group of each node at the level, -1 above the cut
let active = ROOT; // the node that the keyboard is on
let chosen = -1; // the node that the details show
let zoomed = ROOT;
let hovered = -1;
let query = "";
let matches = []; // leaves, in the leaf order
let at = -1; // which of the matches is shown
let matchesBefore = null; // of each place: the matches left of it
const expanded = new Uint8Array(N);
let visible = []; // nodes that have a row, from top to bottom
let deepest = 0;
const rowOf = new Int32Array(N);

/** Group of each node at a level, numbered by the smallest leaf; -1 above the cut. */
function cut(toLevel) {
  const made = 2 * K - toLevel; // nodes there are once the first K - level merges are made
  const top = new Int32Array(N).fill(-1);
  for (let node = made - 1; node >= 0; node--) {
    const above = parent[node];
    top[node] = above < 0 || above >= made ? node : top[above];
  }
  const number = new Int32Array(N).fill(-1);
  let next = 0;
  for (let leaf = 0; leaf < K; leaf++) {
    if (number[top[leaf]] < 0) number[top[leaf]] = next++;
  }
  return top.map((node) => (node < 0 ? -1 : number[node]));
}
