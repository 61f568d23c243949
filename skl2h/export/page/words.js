// Words about nodes, and the small elements that hold them.

/** A number, with as many digits as it has, or with an exponent where those would be too many. */
function count(number) {
  const plain = number === 0 || (number >= 1e-6 && number < 1e15);
  return plain
    ? number.toLocaleString("en-US", { maximumSignificantDigits: 12 })
    : String(Number(number.toPrecision(12)));
}

const plural = (number, one, many = `${one}s`) => `${count(number)} ${number === 1 ? one : many}`;
const leavesBelow = (node) => plural(size[node], "leaf", "leaves");
const score = (node) =>
  scores && !isLeaf(node) ? String(Number(scores[node - K].toPrecision(6))) : null;

const supportOf = (node) =>
  support && !isLeaf(node) ? String(Number(support[node - K].toPrecision(6))) : null;

const unseen = (leaf) => !names[leaf].replace(/\p{Cf}/gu, "").trim();

/** Name of a leaf, in quotes where there would be nothing to see. */
const shown = (leaf) => (unseen(leaf) ? `'${names[leaf]}'` : names[leaf]);

const title = (node) => (isLeaf(node) ? shown(node) : leavesBelow(node));

/** What is said of a node: quotes alone would be nothing to hear. */
const spoken = (node) =>
  [isLeaf(node) && unseen(node) ? "empty name" : title(node), ...facts(node)].join(", ");

function facts(node) {
  const parts = [];
  if (rows) parts.push(plural(rows[node], "row"));
  if (score(node) !== null) parts.push(`${scoreWord} ${score(node)}`);
  if (supportOf(node) !== null) parts.push(`support ${supportOf(node)}`);
  if (groups[node] >= 0) parts.push(`group ${groups[node]} at level ${level}`);
  return parts;
}

/** The first few names below a merge, for a glance at what it holds. */
function someNames(node, most) {
  const end = start[node] + Math.min(size[node], most);
  // Each name is isolated, so that the direction of its letters is not that of the next one.
  const some = Array.from(order.subarray(start[node], end), (leaf) => `\u2068${shown(leaf)}\u2069`);
  return some.join(", ") + (size[node] > most ? ", \u2026" : "");
}

function members(node) {
  return order.slice(start[node], start[node] + size[node]).sort();
}

function make(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function nameOf(leaf, className = "name") {
  const made = make("span", className, shown(leaf));
  if (unseen(leaf)) made.classList.add("none");
  return made;
}

const color = (group) => `#${colors.slice(6 * group, 6 * group + 6)}`;

function chip(node) {
  const made = make("span", "chip");
  made.setAttribute("aria-hidden", "true");
  if (groups[node] < 0) made.classList.add("above");
  else made.style.backgroundColor = color(groups[node]);
  return made;
}

function announce(text) {
  element("status").textContent = text;
}
