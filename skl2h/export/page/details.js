// The details of the node that was chosen, and its members to copy.

function drawDetails() {
  element("nothing").hidden = true;
  element("chosen").hidden = false;
  element("node-name").replaceChildren(isLeaf(chosen) ? nameOf(chosen) : title(chosen));
  const lines = [["Node", String(chosen)]];
  if (rows) {
    const share = rows[chosen] / rows[ROOT];
    const percent = share > 0 ? ` (${(100 * share).toPrecision(3)} %)` : "";
    lines.push(["Rows", count(rows[chosen]) + percent]);
  }
  const scoreTerm = scoreWord[0].toUpperCase() + scoreWord.slice(1);
  if (score(chosen) !== null) lines.push([scoreTerm, score(chosen)]);
  if (supportOf(chosen) !== null) lines.push(["Support", supportOf(chosen)]);
  const [from, to] = [topLevel(chosen), bottomLevel(chosen)];
  lines.push(["A group of its own", from === to ? `at level ${from}` : `at levels ${from} to ${to}`]);
  if (groups[chosen] >= 0) lines.push([`At level ${level}`, `group ${groups[chosen]}`]);
  element("facts").replaceChildren(...lines.map(([term, text]) => {
    const line = make("div");
    const value = make("dd", "", text);
    if (term.startsWith("At level")) value.prepend(chip(chosen));
    line.append(make("dt", "", term), value);
    return line;
  }));
  listMembers(FEW);
  element("details-body").scrollTop = 0;
  element("parent").disabled = parent[chosen] < 0;
  element("zoom-in").disabled = chosen === zoomed || isLeaf(chosen);
  for (const id of ["copy", "copy-json"]) element(id).disabled = false;
}

function listMembers(most) {
  const all = isLeaf(chosen) ? new Int32Array(0) : members(chosen);
  element("members").replaceChildren(...Array.from(all.subarray(0, most), (leaf) => {
    const item = make("li");
    item.append(nameOf(leaf));
    if (rows) item.append(make("span", "count", count(rows[leaf])));
    return item;
  }));
  element("all-members").hidden = all.length <= most;
  element("all-members").textContent = `List all ${count(all.length)} leaves`;
}

/** Levels at which a node is a group, from the first to the last. */
const topLevel = (node) => (parent[node] < 0 ? 1 : 2 * K - parent[node]);
const bottomLevel = (node) => (isLeaf(node) ? K : 2 * K - 1 - node);

async function copy(button, text) {
  const done = (await writeToClipboard(text)) ? "Copied" : "Copying is not allowed here";
  const label = button.dataset.label || button.textContent;
  button.dataset.label = label;
  button.textContent = done;
  announce(done);
  setTimeout(() => { button.textContent = label; }, 1500);
}

async function writeToClipboard(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Without the permission, or on a page that is not secure: the way of old.
    const box = make("textarea", "unseen");
    box.value = text;
    document.body.append(box);
    const focused = document.activeElement;
    box.select();
    const done = document.execCommand("copy");
    box.remove();
    focused.focus();
    return done;
  }
}

const chosenNames = () => Array.from(members(chosen), (leaf) => names[leaf]);
element("copy").addEventListener("click", (event) => copy(event.target, chosenNames().join("\n")));
element("copy-json").addEventListener("click", (event) =>
  copy(event.target, JSON.stringify(chosenNames())));
element("parent").addEventListener("click", () => choose(parent[chosen]));
element("all-members").addEventListener("click", () => listMembers(K));
