// The level: a slider and a number.

// A step of the slider is one level, or 3 % more groups where that is more than one.
const stops = [1];
while (stops[stops.length - 1] < K) {
  const last = stops[stops.length - 1];
  stops.push(Math.min(K, Math.max(last + 1, Math.round(last * 1.03))));
}
const slider = element("slider");
const levelBox = element("level");
slider.max = stops.length - 1;
levelBox.max = K;
slider.disabled = levelBox.disabled = K === 1;

function setLevel(to) {
  level = Math.max(1, Math.min(K, to));
  groups = cut(level);
  let stop = stops.findIndex((one) => one >= level);
  if (stop && stops[stop] - level > level - stops[stop - 1]) stop -= 1;
  if (stops[Number(slider.value)] !== level) slider.value = stop;
  const words = plural(level, "group");
  slider.setAttribute("aria-valuetext", words);
  element("level-unit").textContent = level === 1 ? "group" : "groups";
  if (Number(levelBox.value) !== level) levelBox.value = level;
  showGroups();
  if (chosen >= 0) drawDetails();
  drawIcicle();
}

slider.addEventListener("input", () => setLevel(stops[Number(slider.value)]));
levelBox.addEventListener("input", () => {
  const asked = Number(levelBox.value);
  if (Number.isInteger(asked) && asked >= 1 && asked <= K) setLevel(asked);
});
levelBox.addEventListener("change", () => {
  const asked = Math.round(Number(levelBox.value));
  setLevel(levelBox.value === "" || Number.isNaN(asked) ? level : asked);
  levelBox.value = level; // what cannot be read as a level is put right
});
