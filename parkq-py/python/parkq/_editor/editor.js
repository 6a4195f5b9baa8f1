// Draws a lot over its anonymized picture. The server checks and keeps it; this file only edits.

const $ = (id) => document.getElementById(id);
const SVG = "http://www.w3.org/2000/svg";
const view = $("view");

let size = [1, 1]; // the picture's, pixels
let lot = { version: 1, spaces: [], masks: [] };
let selected = null; // {kind: "spaces" | "masks", index}
let draft = []; // corners clicked so far, relative
let box = [0, 0, 1, 1]; // what the view shows, pixels
let past = []; // lots as JSON, the latest last
let future = [];
let saved = "";

const copy = (value) => JSON.parse(JSON.stringify(value));
const mode = () => document.querySelector("input[name=mode]:checked").value;
const shape = (at) => at && (at.kind === "spaces" ? lot.spaces[at.index]?.quad : lot.masks[at.index]);

function say(text, isError = false) {
  $("status").textContent = text;
  $("status").classList.toggle("error", isError);
}

async function ask(path, body) {
  const options = body === undefined ? {} : { method: "POST", body };
  const answer = await fetch(path, options);
  const value = await answer.json();
  if (!answer.ok) throw new Error(value.error);
  return value;
}

const report = (task) => task.catch((error) => say(error.message, true));

// Every change of the lot goes through here, so that all of them can be undone.
function change(edit) {
  const before = JSON.stringify(lot);
  edit();
  if (JSON.stringify(lot) !== before) {
    past.push(before);
    future = [];
  }
  draw();
}

function step(from, to) {
  if (!from.length) return;
  to.push(JSON.stringify(lot));
  lot = JSON.parse(from.pop());
  if (!shape(selected)) selected = null;
  draw();
}

// The last corner of what is being drawn, or else the last change.
function undo() {
  if (!draft.length) return step(past, future);
  draft.pop();
  draw();
}

function freeName() {
  const used = new Set(lot.spaces.map((space) => space.id));
  for (let n = 1; ; n += 1) {
    const name = $("prefix").value + n;
    if (!used.has(name)) return name;
  }
}

function addSpaces(quads) {
  change(() => {
    for (const quad of quads) lot.spaces.push({ id: freeName(), quad });
    selected = { kind: "spaces", index: lot.spaces.length - 1 };
  });
}

function element(name, attributes, parent) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  parent.append(node);
  return node;
}

const path = (points) => points.map(([x, y]) => `${x * size[0]},${y * size[1]}`).join(" ");
const isSelected = (kind, index) => selected?.kind === kind && selected.index === index;

function draw() {
  view.setAttribute("viewBox", box.join(" "));
  view.setAttribute("class", mode());
  const unit = box[2] / Math.max(view.clientWidth, 1); // picture pixels in one of the screen's
  const shapes = $("shapes");
  shapes.replaceChildren();
  const polygon = (kind, index, points, look) => {
    const chosen = isSelected(kind, index) ? " selected" : "";
    element("polygon", { points: path(points), class: look + chosen, "data-kind": kind, "data-index": index }, shapes);
  };
  lot.masks.forEach((points, i) => polygon("masks", i, points, "mask"));
  lot.spaces.forEach((space, i) => {
    polygon("spaces", i, space.quad, space.closed ? "space closed" : "space");
    const middle = (axis) => (space.quad.reduce((sum, p) => sum + p[axis], 0) / 4) * size[axis];
    const look = { x: middle(0), y: middle(1) + 4 * unit, "font-size": 13 * unit, "stroke-width": 3 * unit };
    element("text", look, shapes).textContent = space.id;
  });
  (shape(selected) ?? []).forEach(([x, y], corner) => {
    const at = { cx: x * size[0], cy: y * size[1], r: 6 * unit, class: "handle", "data-corner": corner };
    element("circle", at, shapes);
  });
  $("draft").replaceChildren();
  if (draft.length) {
    element("polyline", { points: path(draft), class: "draft" }, $("draft"));
    for (const [x, y] of draft) element("circle", { cx: x * size[0], cy: y * size[1], r: 4 * unit, class: "handle" }, $("draft"));
  }
  panel();
  $("undo").disabled = !past.length && !draft.length;
  $("redo").disabled = !future.length;
  document.title = (JSON.stringify(lot) === saved ? "" : "* ") + (lot.name ?? "parkq lot");
}

function panel() {
  const item = (kind, index, text) => {
    const entry = document.createElement("li");
    const button = document.createElement("button");
    button.textContent = text;
    entry.setAttribute("aria-current", isSelected(kind, index));
    button.onclick = () => select({ kind, index });
    entry.append(button);
    return entry;
  };
  $("list").replaceChildren(
    ...lot.spaces.map((space, i) => item("spaces", i, space.id)),
    ...lot.masks.map((_, i) => item("masks", i, `mask ${i + 1}`)),
  );
  $("panel").hidden = !selected;
  if (!selected) return;
  const isSpace = selected.kind === "spaces";
  $("kind").textContent = isSpace ? "Space" : `Mask ${selected.index + 1}`;
  $("naming").hidden = $("details").hidden = !isSpace;
  if (!isSpace) return;
  const space = lot.spaces[selected.index];
  const [width, length] = space.size_m ?? [2.5, 5];
  const values = { name: space.id, width, length, stay: space.max_stay_minutes ?? "" };
  for (const [id, value] of Object.entries(values)) if (document.activeElement !== $(id)) $(id).value = value;
  $("closed").checked = Boolean(space.closed);
}

function select(at) {
  selected = at;
  draw();
}

function remove() {
  if (!selected) return;
  change(() => {
    lot[selected.kind].splice(selected.index, 1);
    selected = null;
  });
}

function cycle(by) {
  const all = [
    ...lot.spaces.map((_, index) => ({ kind: "spaces", index })),
    ...lot.masks.map((_, index) => ({ kind: "masks", index })),
  ];
  if (!all.length) return;
  const now = all.findIndex((at) => isSelected(at.kind, at.index));
  select(all[(now + by + all.length + (now < 0 && by < 0 ? 1 : 0)) % all.length]);
}

const clamp = (value) => Math.min(1, Math.max(0, value));

// Moves a whole outline by at most what keeps it inside the picture.
function moved(points, dx, dy) {
  const fit = (axis, by) => {
    const all = points.map((p) => p[axis]);
    return Math.min(1 - Math.max(...all), Math.max(-Math.min(...all), by));
  };
  const by = [fit(0, dx), fit(1, dy)];
  return points.map(([x, y]) => [clamp(x + by[0]), clamp(y + by[1])]);
}

function setShape(at, points) {
  if (at.kind === "spaces") lot.spaces[at.index].quad = points;
  else lot.masks[at.index] = points;
}

function corner(point) {
  draft.push(point);
  const kind = mode();
  if (draft.length === 4 && kind !== "mask") {
    const quad = draft;
    draft = [];
    if (kind === "space") addSpaces([quad]);
    else report(ask("row", JSON.stringify({ quad, count: Number($("count").value) })).then(({ quads }) => addSpaces(quads)));
  }
  draw();
}

function endMask() {
  if (mode() !== "mask" || draft.length < 3) return;
  const points = draft;
  draft = [];
  change(() => {
    lot.masks.push(points);
    selected = { kind: "masks", index: lot.masks.length - 1 };
  });
}

// The picture's relative coordinates under the pointer.
function under(event) {
  const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(view.getScreenCTM().inverse());
  return [at.x / size[0], at.y / size[1]];
}

let drag = null;

view.addEventListener("pointerdown", (event) => {
  if (event.button !== 0) return;
  view.focus();
  const at = under(event);
  if (mode() !== "select") {
    if (event.detail < 2 || mode() !== "mask") corner(at.map(clamp));
    return;
  }
  const { kind, index, corner: handle } = event.target.dataset;
  drag = { from: at, before: JSON.stringify(lot), start: [...box], screen: [event.clientX, event.clientY] };
  if (handle !== undefined) drag.corner = Number(handle);
  else if (kind) select({ kind, index: Number(index) });
  else drag.pan = true;
  if (!drag.pan) drag.points = copy(shape(selected));
  view.setPointerCapture(event.pointerId);
});

view.addEventListener("pointermove", (event) => {
  if (!drag) return;
  if (drag.pan) {
    const scale = 1 / view.getScreenCTM().a;
    box[0] = drag.start[0] - (event.clientX - drag.screen[0]) * scale;
    box[1] = drag.start[1] - (event.clientY - drag.screen[1]) * scale;
  } else {
    const [dx, dy] = under(event).map((value, axis) => value - drag.from[axis]);
    if (drag.corner === undefined) setShape(selected, moved(drag.points, dx, dy));
    else setShape(selected, drag.points.map(([x, y], i) => (i === drag.corner ? [clamp(x + dx), clamp(y + dy)] : [x, y])));
  }
  draw();
});

view.addEventListener("pointerup", () => {
  if (drag && !drag.pan && drag.before !== JSON.stringify(lot)) {
    past.push(drag.before);
    future = [];
  } else if (drag?.pan && drag.start.join() === box.join()) {
    selected = null;
  }
  drag = null;
  draw();
});

view.addEventListener("dblclick", endMask);

view.addEventListener("wheel", (event) => {
  event.preventDefault();
  const [x, y] = under(event).map((value, axis) => value * size[axis]);
  const by = Math.min(Math.max(Math.exp(event.deltaY / 500), 20 / box[2]), (4 * size[0]) / box[2]);
  box = [x - (x - box[0]) * by, y - (y - box[1]) * by, box[2] * by, box[3] * by];
  draw();
}, { passive: false });

const showAll = () => { box = [0, 0, ...size]; draw(); };

function nudge(x, y, event) {
  if (!selected) return;
  const by = event.shiftKey ? 10 : 1;
  change(() => setShape(selected, moved(shape(selected), (x * by) / size[0], (y * by) / size[1])));
}

const choose = (value) => { document.querySelector(`input[name=mode][value=${value}]`).checked = true; draft = []; draw(); };

const keys = {
  v: () => choose("select"), s: () => choose("space"), r: () => choose("row"), m: () => choose("mask"),
  n: (event) => cycle(event.shiftKey ? -1 : 1), 0: showAll, enter: endMask, delete: remove, backspace: () => (draft.length ? undo() : remove()),
  escape: () => { if (draft.length) draft = []; else selected = null; draw(); },
  arrowleft: (event) => nudge(-1, 0, event), arrowright: (event) => nudge(1, 0, event),
  arrowup: (event) => nudge(0, -1, event), arrowdown: (event) => nudge(0, 1, event),
};

document.addEventListener("keydown", (event) => {
  const key = event.key.toLowerCase();
  const withControl = event.ctrlKey || event.metaKey;
  let action = null;
  if (withControl) {
    action = { z: () => (event.shiftKey ? step(future, past) : undo()), y: () => step(future, past), s: save }[key];
  } else if (!["INPUT", "SELECT", "TEXTAREA"].includes(event.target.tagName) || event.target.type === "radio") {
    if (event.target.tagName === "BUTTON" && key === "enter") return;
    action = keys[key];
  }
  if (!action) return;
  event.preventDefault();
  action(event);
});

function save() {
  const text = JSON.stringify(lot);
  return report(ask("save", text).then(({ path: where }) => {
    saved = text;
    say(`Saved ${lot.spaces.length} spaces and ${lot.masks.length} masks to ${where}`);
    draw();
  }));
}

function field(id, edit) {
  $(id).addEventListener("change", () => {
    if (selected?.kind === "spaces") change(() => edit(lot.spaces[selected.index]));
  });
}

field("name", (space) => {
  const name = $("name").value.trim();
  const taken = lot.spaces.some((other) => other !== space && other.id === name);
  if (name && !taken) { space.id = name; say(""); } else { say(name ? `There is a space ${name} already` : "A space needs a name", true); $("name").value = space.id; }
});
const sizes = (space) => { space.size_m = [Number($("width").value), Number($("length").value)]; };
field("width", sizes);
field("length", sizes);
field("stay", (space) => { if ($("stay").value) space.max_stay_minutes = Number($("stay").value); else delete space.max_stay_minutes; });
field("closed", (space) => { if ($("closed").checked) space.closed = true; else delete space.closed; });

$("panel").addEventListener("submit", (event) => event.preventDefault());
$("modes").addEventListener("change", (event) => { if (event.target.name === "mode") { draft = []; draw(); } });
$("undo").onclick = undo;
$("redo").onclick = () => step(future, past);
$("delete").onclick = remove;
$("save").onclick = save;
$("quit").onclick = () => report(ask("quit", "").then(() => { saved = JSON.stringify(lot); say("Stopped. You can close this page."); draw(); }));
$("propose").onclick = () => {
  say("Looking for vehicles ...");
  report(ask("propose", JSON.stringify(lot)).then(({ quads }) => { addSpaces(quads); say(`${quads.length} proposed`); }));
};
$("file").onchange = async () => {
  const [file] = $("file").files;
  if (!file) return;
  const format = $("format").value;
  const text = await file.text();
  await report(ask(`import?format=${format}`, text).then((read) => {
    change(() => { lot = { masks: [], ...read.lot }; selected = null; });
    say(`${lot.spaces.length} spaces from ${file.name}`);
  }));
  $("file").value = "";
};

window.addEventListener("beforeunload", (event) => { if (JSON.stringify(lot) !== saved) event.preventDefault(); });
window.addEventListener("resize", draw);

report(ask("state").then((state) => {
  size = state.size;
  lot = { masks: [], ...state.lot };
  saved = JSON.stringify(lot);
  for (const name of state.formats) $("format").append(new Option(name, name));
  const picture = $("picture");
  for (const [key, value] of Object.entries({ width: size[0], height: size[1], href: "picture" })) picture.setAttribute(key, value);
  showAll();
  say(`Will be saved to ${state.path}`);
  document.body.dataset.ready = "yes";
}));
