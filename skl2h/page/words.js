// Words about nodes, and the small elements that hold them.

const count = (number) => number.toLocaleString("en-US", { maximumSignificantDigits: 12 });
const plural = (number, one, many = `${one}s`) => `${count(number)} ${number === 1 ? one : many}`;
const leavesBelow = (node) => plural(size[node], "leaf", "leaves");
const score = (node) =>
  scores && !isLeaf(node) ? String(Number(scores[node - K].toPrecision(6))) : null;

function title(node) {
  return isLeaf(node) ? names[node] || "(empty name)" : leavesBelow(node);
}

function facts(node) {
  const parts = [];
  if (rows) parts.push(plural(rows[node], "row"));
  if (score(node) !== null) parts.push(`score ${score(node)}`);
  if (groups[node] >= 0) parts.push(`group ${groups[node]} at level ${level}`);
  return parts;
}

/** The first few names below a merge, for a glance at what it holds. */
function someNames(node, most) {
  const end = start[node] + Math.min(size[node], most);
  const some = Array.from(order.subarray(start[node], end), (leaf) => names[leaf]);
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
  const made = make("span", className, names[leaf]);
  if (!names[leaf]) {
    made.textContent = "(empty name)";
    made.classList.add("none");
  }
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
