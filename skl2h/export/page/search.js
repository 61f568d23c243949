// The search for names.

const searchBox = element("search");
const lowNames = names.map((name) => name.toLowerCase());

const matchesBelow = (node) => matchesBefore[start[node] + size[node]] - matchesBefore[start[node]];

function search() {
  query = searchBox.value.toLowerCase();
  matches = [];
  matchesBefore = null;
  if (query) {
    matchesBefore = new Int32Array(K + 1);
    for (let place = 0; place < K; place++) {
      if (lowNames[order[place]].includes(query)) matches.push(order[place]);
      matchesBefore[place + 1] = matches.length;
    }
  }
  at = -1;
  for (const id of ["previous", "next"]) element(id).disabled = !matches.length;
  if (matches.length) {
    showMatch(0);
  } else {
    tellMatches();
    drawTree();
    drawIcicle();
  }
}

function showMatch(which) {
  if (!matches.length) return;
  at = (which + matches.length) % matches.length;
  tellMatches();
  choose(matches[at]);
}

function tellMatches() {
  const words = matches.length ? `${count(at + 1)} of ${count(matches.length)}` : "none";
  element("hits").textContent = query ? words : "";
  announce(query ? `${words}${matches.length ? `: ${title(matches[at])}` : " found"}` : "");
}

searchBox.addEventListener("input", search);
searchBox.addEventListener("keydown", (event) => {
  if (event.key === "Enter") {
    event.preventDefault();
    showMatch(at + (event.shiftKey ? -1 : 1));
  } else if (event.key === "Escape" && searchBox.value) {
    event.preventDefault();
    searchBox.value = "";
    search();
  }
});
element("next").addEventListener("click", () => showMatch(at + 1));
element("previous").addEventListener("click", () => showMatch(at - 1));
document.addEventListener("keydown", (event) => {
  if (event.key === "/" && event.target.tagName !== "INPUT") {
    event.preventDefault();
    searchBox.focus();
  }
});
