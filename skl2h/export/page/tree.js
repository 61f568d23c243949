// The tree: one row for each node that is in sight.

const tree = element("tree");

function listRows() {
  visible = [];
  deepest = 0;
  rowOf.fill(-1);
  const waiting = [ROOT];
  while (waiting.length) {
    const node = waiting.pop();
    rowOf[node] = visible.length;
    visible.push(node);
    deepest = Math.max(deepest, depth[node]);
    if (expanded[node]) waiting.push(second(node), first(node));
  }
  element("rows").style.height = `${visible.length * ROW}px`;
}

function drawTree() {
  const from = Math.max(0, Math.floor(tree.scrollTop / ROW) - 4);
  const to = Math.min(visible.length, Math.ceil((tree.scrollTop + tree.clientHeight) / ROW) + 4);
  const shown = visible.slice(from, to);
  // Where a branch is deeper than the panel is wide, it is drawn from its own depth on.
  const room = Math.max(4, Math.floor((tree.clientWidth * 0.45) / STEP));
  let shift = 0;
  if (deepest > room) {
    const inSight = shown.slice(from ? 4 : 0, -4 || undefined);
    shift = Math.max(0, Math.min(...inSight.map((node) => depth[node])) - 1);
  }
  const drawn = shown.map((node) => drawRow(node, shift, room));
  // The row the keyboard is on stays there for assistive technology, in sight or not.
  if (rowOf[active] >= 0 && (rowOf[active] < from || rowOf[active] >= to)) {
    drawn.push(drawRow(active, shift, room));
  }
  place(drawn);
  if (rowOf[active] >= 0) tree.setAttribute("aria-activedescendant", `node-${active}`);
  else tree.removeAttribute("aria-activedescendant");
}

/** Put rows into the page. Those that are there stay, so that a pointer keeps what it is on. */
function place(drawn) {
  const wanted = new Set(drawn);
  const box = element("rows");
  for (const row of [...box.children]) {
    if (!wanted.has(row)) {
      row.remove();
      drawnRows.delete(Number(row.dataset.node));
    }
  }
  let next = box.firstChild;
  for (const row of drawn) {
    drawnRows.set(Number(row.dataset.node), row);
    if (row === next) next = row.nextSibling;
    else box.insertBefore(row, next);
  }
}

const drawnRows = new Map();

function drawRow(node, shift, room) {
  const indent = STEP * Math.max(0, Math.min(depth[node] - shift, room));
  // All that a row shows; what the keyboard and the pointer change is set below.
  const shows = [level, groups[node], expanded[node], indent, query].join(" ");
  let row = drawnRows.get(node);
  if (!row || row.dataset.shows !== shows) {
    row = makeRow(node, indent);
    row.dataset.shows = shows;
  }
  row.style.transform = `translateY(${rowOf[node] * ROW}px)`;
  row.setAttribute("aria-selected", node === chosen);
  row.classList.toggle("active", node === active);
  return row;
}

function makeRow(node, width) {
  const row = make("div", isLeaf(node) ? "row leaf" : "row inner");
  row.id = `node-${node}`;
  row.dataset.node = node;
  row.dataset.group = groups[node];
  row.setAttribute("role", "treeitem");
  row.setAttribute("aria-level", depth[node] + 1);
  row.setAttribute("aria-setsize", node === ROOT ? 1 : 2);
  row.setAttribute("aria-posinset", node === ROOT || first(parent[node]) === node ? 1 : 2);
  row.setAttribute("aria-label", spoken(node));
  if (!isLeaf(node)) row.setAttribute("aria-expanded", expanded[node] === 1);
  const indent = make("span", "indent");
  indent.style.width = `${width}px`;
  row.append(indent, make("span", "toggle"), chip(node));
  if (isLeaf(node)) {
    row.append(marked(node));
  } else {
    row.append(make("span", "name", title(node)));
    const hits = matchesBefore ? matchesBelow(node) : 0;
    if (hits && !expanded[node]) row.append(make("span", "found", `${count(hits)} found`));
    if (!expanded[node]) row.append(make("span", "some", someNames(node, 12)));
  }
  if (rows) {
    row.append(make("span", "count", node === ROOT ? plural(rows[node], "row") : count(rows[node])));
  }
  return row;
}

/** Name of a leaf, with what is searched for marked. */
function marked(leaf) {
  const made = nameOf(leaf);
  const low = names[leaf].toLowerCase();
  const found = query ? low.indexOf(query) : -1;
  // In a few scripts small letters are more characters than large ones: then no mark.
  if (found < 0 || low.length !== names[leaf].length) return made;
  made.replaceChildren(
    names[leaf].slice(0, found),
    make("mark", "", names[leaf].slice(found, found + query.length)),
    names[leaf].slice(found + query.length),
  );
  return made;
}

function setExpanded(node, open) {
  if (isLeaf(node)) return;
  expanded[node] = open ? 1 : 0;
  listRows();
  drawTree();
}

function reveal(node) {
  for (let above = parent[node]; above >= 0; above = parent[above]) expanded[above] = 1;
  if (rowOf[node] < 0) listRows();
  scrollTo(node);
}

function scrollTo(node) {
  const top = rowOf[node] * ROW;
  const room = tree.clientHeight;
  if (top < tree.scrollTop || top + ROW > tree.scrollTop + room) {
    tree.scrollTop = top - Math.max(0, Math.min(room / 3, room - ROW));
  }
}

/** Make a node the one that the keyboard is on and that the details show. */
function choose(node) {
  active = chosen = node;
  reveal(node);
  drawTree();
  drawDetails();
  if (start[node] < start[zoomed] || start[node] + size[node] > start[zoomed] + size[zoomed]) {
    zoom(lowestHolding(node, zoomed));
  }
  drawIcicle();
}

function lowestHolding(a, b) {
  let node = Math.max(a, b);
  while (start[node] > Math.min(start[a], start[b]) ||
    start[node] + size[node] < Math.max(start[a] + size[a], start[b] + size[b])) {
    node = parent[node];
  }
  return node;
}

tree.addEventListener("scroll", drawTree);
tree.addEventListener("click", (event) => {
  const row = event.target.closest(".row");
  if (!row) return;
  const node = Number(row.dataset.node);
  if (event.target.classList.contains("toggle") && !isLeaf(node)) {
    active = node;
    setExpanded(node, !expanded[node]);
  } else {
    choose(node);
  }
});
tree.addEventListener("dblclick", (event) => {
  const row = event.target.closest(".row");
  if (!row || event.target.classList.contains("toggle")) return;
  const node = Number(row.dataset.node);
  setExpanded(node, !expanded[node]);
});
tree.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (rowOf[active] < 0) active = ROOT;
  const page = Math.max(1, Math.floor(tree.clientHeight / ROW) - 1);
  const stepTo = (row) => choose(visible[Math.max(0, Math.min(visible.length - 1, row))]);
  const keys = {
    ArrowDown: () => stepTo(rowOf[active] + 1),
    ArrowUp: () => stepTo(rowOf[active] - 1),
    PageDown: () => stepTo(rowOf[active] + page),
    PageUp: () => stepTo(rowOf[active] - page),
    Home: () => stepTo(0),
    End: () => stepTo(visible.length - 1),
    ArrowRight: () => {
      if (isLeaf(active)) return;
      if (expanded[active]) choose(first(active));
      else setExpanded(active, true);
    },
    ArrowLeft: () => {
      if (expanded[active]) setExpanded(active, false);
      else if (parent[active] >= 0) choose(parent[active]);
    },
    Enter: () => {
      if (active === chosen) setExpanded(active, !expanded[active]);
      else choose(active);
    },
  };
  keys[" "] = keys.Enter;
  if (!Object.hasOwn(keys, event.key)) return;
  event.preventDefault();
  keys[event.key]();
});
element("expand-all").addEventListener("click", () => {
  expanded.fill(1, K);
  showRows();
});
element("collapse-all").addEventListener("click", () => {
  expanded.fill(0);
  showRows();
});
element("to-level").addEventListener("click", showGroups);

function showRows() {
  listRows();
  if (rowOf[active] < 0) active = ROOT;
  drawTree();
}

/** Open the tree down to the groups of the level, and no further. */
function showGroups() {
  for (let node = K; node < N; node++) expanded[node] = node >= 2 * K - level ? 1 : 0;
  showRows();
}
