"use strict";

const $ = (id) => document.getElementById(id);
const about = (name) => document.querySelector(`meta[name=${name}]`).content;

/* ---- what both views need ---- */

// the server counts code points, JavaScript UTF-16: where each code point begins
function unitsOf(text) {
  const units = [0];
  for (const point of text) units.push(units[units.length - 1] + point.length);
  return units;
}

async function ask(path, body) {
  const headers = { "Content-Type": "application/json", "X-Token": about("token") };
  let response;
  try {
    response = await fetch(path, body && { method: "POST", headers, body: JSON.stringify(body) });
  } catch {
    throw new Error("The server does not answer, so nothing was saved. Start it again, then try once more.");
  }
  if (response.ok) return response;
  const detail = (await response.json().catch(() => ({}))).detail;
  const text = typeof detail === "string" ? detail : detail?.message;
  throw Object.assign(new Error(text || JSON.stringify(detail) || response.statusText), { item: detail?.item });
}

const get = async (path) => (await ask(path)).json();

function complain(error) {
  $("problem").textContent = error.message;
  $("problem").hidden = false;
}

async function attempt(work) {
  try {
    $("problem").hidden = true;
    await work();
  } catch (error) {
    complain(error);
  }
}

function element(name, properties, ...content) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...content);
  return made;
}

const known = [];
function colour(label) {
  if (!known.includes(label)) known.push(label);
  return `hsl(${(200 + known.indexOf(label) * 137.5) % 360} 75% 78%)`;
}

// `spans`, and `parts` with a class each, in code points; text nodes know the code point at which they begin
function draw(box, text, spans, parts = []) {
  const units = unitsOf(text);
  const borders = parts.flatMap((one) => [one.start, one.end]).sort((a, b) => a - b);
  function fill(parent, start, end) {
    const cuts = [start, ...borders.filter((one) => start < one && one < end), end];
    for (let i = 0; i + 1 < cuts.length; i++) {
      if (cuts[i] === cuts[i + 1]) continue;
      const node = new Text(text.slice(units[cuts[i]], units[cuts[i + 1]]));
      node.at = cuts[i];
      const names = parts.filter((one) => one.start <= cuts[i] && cuts[i] < one.end).map((one) => one.name);
      parent.append(names.length ? element("span", { className: names.join(" ") }, node) : node);
    }
  }
  const whole = document.createDocumentFragment();
  let last = 0;
  for (const span of [...spans].sort((a, b) => a.start - b.start)) {
    const sure = span.score == null ? "" : ` ${span.score.toFixed(2)}`;
    const mark = element("mark", { className: span.low ? "low" : "" });
    mark.style.background = colour(span.label);
    fill(whole, last, span.start);
    fill(mark, span.start, span.end);
    mark.append(element("b", { dir: "auto" }, span.label + sure));
    whole.append(mark);
    last = span.end;
  }
  fill(whole, last, units.length - 1);
  box.replaceChildren(whole);
}

/* ---- try the pipeline ---- */

let shown = { text: "", spans: [] };

async function find() {
  const text = $("pasted").value;
  const [found] = (await (await ask("entities", { texts: [text] })).json()).results;
  shown = { text, spans: found.map((one) => ({ ...one, score: one.confidence })) };
  $("found").hidden = false;
  keep();
}

function keep() {
  const threshold = Number($("threshold").value);
  const unsure = shown.spans.filter((one) => one.score == null);
  const scored = shown.spans.filter((one) => one.score != null);
  const kept = scored.filter((one) => one.score >= threshold);
  const sum = (list) => list.reduce((total, one) => total + one.score, 0);
  draw($("shown"), shown.text, shown.spans.map((one) => ({ ...one, low: one.score != null && one.score < threshold })));
  $("threshold-value").textContent = threshold.toFixed(2);
  $("threshold-box").hidden = !scored.length;
  const said = [];
  if (!shown.spans.length) said.push("No entities were found.");
  if (scored.length) {
    said.push(`${kept.length} of ${scored.length} entities are kept.`);
    if (kept.length) {
      said.push(`Expected precision: ${(sum(kept) / kept.length).toFixed(2)}, the mean confidence of those kept.`);
      said.push(
        `Expected recall: ${(sum(kept) / sum(scored)).toFixed(2)} of what the pipeline finds at all; about ` +
          `${sum(kept).toFixed(1)} of ${sum(scored).toFixed(1)} right entities are kept. Entities that it does not ` +
          "find at any threshold are in no number here, so the true recall is lower."
      );
    }
    said.push("This holds as far as the confidences are calibrated for texts like this one.");
  }
  if (unsure.length) said.push(`${unsure.length} entities have no confidence: no threshold applies to them.`);
  $("expected").replaceChildren(...said.map((one) => element("p", {}, one)));
}

/* ---- annotate ---- */

let item = null;
let spans = [];
let tokens = [];
let rest = []; // words that are not asked
let cursor = null; // [where the selection began, where it is now], numbers of tokens
let edits = []; // the spans before each change of this text
let answers = []; // the answers of this tab
let active = null; // the label that is pressed
let fresh = false; // whether words were just selected, and no label given to them
let begun = 0;

const chosen = () => cursor && [Math.min(...cursor), Math.max(...cursor)];
const borders = ([from, to]) => ({ start: tokens[from][0], end: tokens[to][1] });
const textOf = ({ start, end }) => [...item.text].slice(start, end).join("");
const overlap = (a, b) => a.start < b.end && b.start < a.end;
const say = (text) => ($("said").textContent = text);

function show(given, words = "") {
  item = given;
  const blank = (pair) => !textOf({ start: pair[0], end: pair[1] }).trim();
  tokens = item.tokens.filter((pair) => !blank(pair));
  [spans, edits, cursor, begun] = [item.spans, [], null, Date.now()];
  rest = item.tokens.filter((_, i) => item.asked && !item.asked.includes(i)).map(([start, end]) => ({ start, end, name: "rest" }));
  const meta = Object.entries(item.meta).map(([name, value]) => `${name}: ${typeof value === "object" ? JSON.stringify(value) : value}`);
  const state = item.answer ? `answered: ${item.answer}` : "open";
  if (rest.length) meta.unshift("grey words are not asked");
  $("where").textContent = [`Text ${item.number + 1}, ${state}`, ...meta].join(" · ");
  redraw();
  $("text").scrollTop = 0;
  $("text").focus({ preventScroll: true });
  say(words);
}

function redraw() {
  draw($("text"), item.text, spans, cursor ? [...rest, { ...borders(chosen()), name: "on" }] : rest);
  const [outer, inner] = [$("text"), $("text").querySelector(".on")].map((one) => one?.getBoundingClientRect());
  if (inner && (inner.top < outer.top || inner.bottom > outer.bottom)) {
    $("text").scrollTop += inner.top - outer.top - outer.height / 2;
  }
}

function move(to) {
  cursor = to;
  redraw();
  const inside = to && spans.filter((one) => overlap(one, borders(chosen()))).map((one) => one.label);
  if (to) say([textOf(borders(chosen())), ...inside].join(": "));
}

function step(by, more) {
  if (!tokens.length) return;
  const to = Math.min(tokens.length - 1, Math.max(0, (cursor ? cursor[1] : -1) + by));
  move([more && cursor ? cursor[0] : to, to]);
}

function edit(changed, words) {
  edits.push(spans);
  spans = changed;
  redraw();
  say(words);
}

function press(label) {
  active = label;
  for (const button of $("labels").querySelectorAll("[data-label]")) {
    button.setAttribute("aria-pressed", button.dataset.label === label);
  }
}

// give the selection a label; inside of an entity it is that one that gets it, unless it is selected anew
function mark(label) {
  const anew = fresh;
  fresh = false;
  press(label);
  if (!item || !cursor) return say(`${label} is the label of words that are selected next`);
  const range = borders(chosen());
  const inside = !anew && spans.find((one) => one.start <= range.start && range.end <= one.end);
  const made = { start: (inside || range).start, end: (inside || range).end, label };
  if (inside && inside.label === label) return;
  edit([...spans.filter((one) => !overlap(one, made)), made], `${textOf(made)}: ${label}`);
}

function erase() {
  if (!cursor) return;
  const range = borders(chosen());
  const gone = spans.filter((one) => overlap(one, range));
  if (gone.length) edit(spans.filter((one) => !gone.includes(one)), `Deleted: ${gone.map(textOf).join(", ")}`);
}

function nextEntity() {
  const at = cursor ? tokens[cursor[1]][0] : -1;
  const ordered = [...spans].sort((a, b) => a.start - b.start);
  const found = ordered.find((one) => one.start > at) || ordered[0];
  if (!found) return say("There is no entity.");
  const inside = tokens.flatMap(([start, end], i) => (overlap(found, { start, end }) ? [i] : []));
  if (inside.length) move([inside[0], inside[inside.length - 1]]);
}

function report(progress) {
  const done = progress.total - progress.open;
  const of = (kind) => progress[kind] || 0;
  const kinds = `${of("accept")} accepted, ${of("reject")} rejected, ${of("ignore")} ignored`;
  const minutes = Math.ceil((progress.seconds || 0) / 60);
  const left = !progress.open ? "all done" : progress.seconds == null ? "" : `about ${minutes} min left at your median speed`;
  $("progress").textContent = [`${done} of ${progress.total} answered: ${kinds}`, left].filter(Boolean).join(" · ");
  [$("bar").max, $("bar").value] = [progress.total, done];
}

let busy = false;
async function send(number, body, then) {
  if (busy) return;
  busy = true;
  try {
    const saved = await (await ask(`queue/${number}`, body)).json();
    report(saved.progress);
    await then(saved.version);
  } catch (error) {
    if (!error.item) throw error;
    const mine = item && item.number === number ? spans : null;
    show(error.item);
    if (mine) edits = [mine];
    throw new Error(`${error.message} This is what they say. Answer again to replace it; Undo brings your entities back.`);
  } finally {
    busy = false;
  }
}

async function answer(kind) {
  if (!item || busy) return;
  const [before, seconds] = [item, (Date.now() - begun) / 1000];
  await send(before.number, { version: before.version, answer: kind, spans, seconds }, async (version) => {
    answers.push({ number: before.number, version, answer: before.answer, spans: before.answer ? before.spans : spans });
    edits = [];
    await proceed(before.number);
  });
}

async function proceed(after) {
  const next = await get(`queue/next?after=${after}`);
  if (next) show(next, `Text ${next.number + 1}`);
  else show(await get(`queue/${Math.max(after, 0)}`), "All texts are answered. Previous and Next go through them, Download exports the answers.");
}

async function undo() {
  if (edits.length) {
    spans = edits.pop();
    redraw();
    return say("Undone");
  }
  const last = answers[answers.length - 1];
  if (!last) return say("There is nothing to undo in this tab. Previous goes back to any text.");
  const { number, ...body } = last;
  await send(number, body, async () => {
    answers.pop();
    show(await get(`queue/${number}`), "The last answer is taken back");
  });
}

async function go(by) {
  const to = item.number + by;
  if (edits.length && !confirm("The changes to this text are not saved. Leave it?")) return;
  if (0 <= to && to < $("bar").max) show(await get(`queue/${to}`));
}

const ACTIONS = {
  a: () => answer("accept"), Enter: () => answer("accept"), x: () => answer("reject"), i: () => answer("ignore"),
  u: undo, p: () => go(-1), n: () => go(1), e: nextEntity, Delete: erase, Backspace: erase,
  "←": () => step(-1), "→": () => step(1), "⇧←": () => step(-1, true), "⇧→": () => step(1, true),
  Home: () => step(-tokens.length), End: () => step(tokens.length), Escape: () => move(null),
};

function onKey(event) {
  const inField = event.target.closest("input, select, textarea, details, form");
  const inButton = event.target.closest("button") && event.key === "Enter";
  if (!item || inField || inButton || event.altKey) return;
  let key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (event.ctrlKey || event.metaKey) {
    if (key !== "z") return;
    key = "u";
  }
  if (key.startsWith("Arrow")) {
    const backwards = getComputedStyle($("text")).direction === "rtl" ? "ArrowRight" : "ArrowLeft";
    if (key !== "ArrowLeft" && key !== "ArrowRight") return;
    key = (event.shiftKey ? "⇧" : "") + (key === backwards ? "←" : "→");
  }
  const label = /^[1-9]$/.test(key) && $("labels").querySelectorAll("[data-label]")[key - 1];
  if (!label && !ACTIONS[key]) return;
  event.preventDefault();
  if (event.repeat && ["a", "x", "i", "Enter"].includes(key)) return;
  attempt(() => (label ? mark(label.dataset.label) : ACTIONS[key]()));
}

// from a place in the page to a code point of the text
function pointAt(node, offset) {
  // on the label, the entity is meant
  if (node?.at === undefined) [node, offset] = [node?.parentElement?.closest("mark")?.firstChild, 0];
  if (node?.tagName === "SPAN") node = node.firstChild;
  return node?.at === undefined ? null : node.at + [...node.data.slice(0, offset)].length;
}

// words that are selected with the mouse or a finger, as numbers of tokens
function selected() {
  const selection = getSelection();
  if (!item || selection.isCollapsed) return null;
  const [range, points] = [selection.getRangeAt(0), []];
  const nodes = document.createTreeWalker($("text"), NodeFilter.SHOW_TEXT);
  for (let node = nodes.nextNode(); node; node = nodes.nextNode()) {
    if (node.at === undefined || !range.intersectsNode(node)) continue;
    const from = node === range.startContainer ? range.startOffset : 0;
    const to = node === range.endContainer ? range.endOffset : node.length;
    if (from < to) points.push(pointAt(node, from), pointAt(node, to));
  }
  const first = tokens.findIndex((pair) => pair[1] > points[0]);
  const last = tokens.findLastIndex((pair) => pair[0] < points[points.length - 1]);
  return points.length && first >= 0 && first <= last ? [first, last] : null;
}

// the word that was clicked on
function clicked(event) {
  const caret = document.caretPositionFromPoint?.(event.clientX, event.clientY);
  const range = caret ? null : document.caretRangeFromPoint?.(event.clientX, event.clientY);
  const point = pointAt(caret?.offsetNode || range?.startContainer, caret?.offset ?? range?.startOffset);
  const found = point === null ? -1 : tokens.findLastIndex(([start, end]) => start <= point && point <= end);
  return found < 0 ? null : found;
}

function addLabel(label) {
  const number = $("labels").querySelectorAll("[data-label]").length + 1;
  const button = element("button", { type: "button" }, `${label} `);
  button.dataset.label = label;
  button.style.background = colour(label);
  button.setAttribute("aria-pressed", false);
  if (number < 10) button.append(element("kbd", {}, String(number)));
  button.addEventListener("click", () => (mark(label), $("text").focus({ preventScroll: true })));
  $("labels").insertBefore(button, $("new"));
}

function begin({ name, labels, progress }) {
  $("name").textContent = name;
  labels.forEach(addLabel);
  if (labels.length) press(labels[0]);
  report(progress);
  return proceed(-1);
}

function newLabel(event) {
  event.preventDefault();
  const label = $("new-label").value.trim();
  if (label && ![...$("labels").children].some((one) => one.dataset.label === label)) addLabel(label);
  if (label) press(label);
  $("new-label").value = "";
  $("text").focus();
}

async function exportAnswers(event) {
  event.preventDefault();
  const response = await ask(`export?to=${$("to").value}`);
  const download = /filename="(.*)"/.exec(response.headers.get("Content-Disposition"))[1];
  const link = element("a", { href: URL.createObjectURL(await response.blob()), download });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  const warnings = JSON.parse(response.headers.get("X-Warnings"));
  say(`Exported as ${download}`);
  if (warnings.length) complain({ message: warnings.join("\n") });
}

/* ---- the page ---- */

function choose() {
  const view = about("queue") && location.hash !== "#try" ? "queue" : "try";
  for (const name of ["try", "queue"]) $(name).hidden = name !== view;
  for (const link of document.querySelectorAll("nav a")) {
    if (link.hash === `#${view}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

$("find").addEventListener("click", () => attempt(find));
$("pasted").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) attempt(find);
});
$("threshold").addEventListener("input", keep);
addEventListener("hashchange", choose);
choose();
if (about("queue")) {
  document.querySelector("nav").hidden = false;
  for (const name of $("to").dataset.formats.split(" ")) $("to").add(new Option(name));
  $("new").addEventListener("submit", newLabel);
  $("export").addEventListener("submit", (event) => attempt(() => exportAnswers(event)));
  $("queue").addEventListener("keydown", onKey);
  for (const button of $("queue").querySelectorAll("button[data-key]")) {
    button.addEventListener("click", () => attempt(ACTIONS[button.dataset.key]));
  }
  // before the buttons hear of it: a finger selects words first and chooses a label then
  $("queue").addEventListener("click", (event) => {
    const range = selected();
    fresh = Boolean(range);
    if (range) {
      move(range);
      getSelection().removeAllRanges();
      if (!event.target.closest("button")) active ? mark(active) : say("Choose a label");
    } else if ($("text").contains(event.target)) {
      const number = clicked(event);
      move(number === null ? null : [event.shiftKey && cursor ? cursor[0] : number, number]);
    }
  }, true);
  addEventListener("beforeunload", (event) => edits.length && event.preventDefault());
  attempt(async () => begin(await get("queue")));
}
