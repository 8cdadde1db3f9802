// The file below: an editor with line numbers, what the relay made of it, and ideas to try.

import { $, el, keep, setText } from "./dom.js";
import { drawRules } from "./rules.js";
import { act } from "./wire.js";
import { clock, t } from "./words.js";

const IDEAS = [
  ["idea_language", (text) => set(text, "language", "en")],
  ["idea_default", (text) => set(text, "default_channel", "support")],
  ["idea_channel", (text) => text.replace(/^( *)# (vip:|  title: Для своих|  engine: linked_device)/gm, "$1$2")],
  ["idea_limit", (text) => set(text, "limit", "1MB")],
  ["idea_expire", (text) => set(text, "whatsapp", "10s")],
  ["idea_secret", (text) => text.replace(/^( +secret: )0(\w+)$/m, "$1f$2")],
  ["idea_typo", (text) => set(text, "default_channel", "sail").replace(/^language:/m, "langauge:")],
];

let state = null;
let mistakes = new Map();
let pending = null; // what was saved here and has not come back as the file's text yet
let unanswered = 0;
let saving = Promise.resolve(); // one after the other: the last text saved is the one that stays

export function openEditor() {
  const yaml = $("yaml");
  yaml.addEventListener("input", paint);
  yaml.addEventListener("scroll", scroll);
  yaml.addEventListener("keydown", onKey);
  $("save").addEventListener("click", save);
  $("restore").addEventListener("click", () => put(state.first_text));
}

export function drawEditor(whole) {
  const { file } = whole;
  const yaml = $("yaml");
  const untouched = state === null || yaml.value === state.text;
  state = file;
  if (pending === file.text && !unanswered) pending = null;
  if (untouched && pending === null && yaml.value !== file.text) yaml.value = file.text;
  setText($("path"), file.path);
  mistakes = new Map(file.mistakes.map((m) => [m.line, m.message]));
  drawVerdict();
  drawIdeas();
  drawRules(startingPoint(), put);
  paint();
}

// What a click edits: the file as it was saved last, or as it began if that has mistakes.
const startingPoint = () => pending ?? (state.mistakes.length ? state.first_text : state.text);

function set(text, key, value) {
  return text.replace(new RegExp(`^( *${key}: )(\\S+)`, "m"), `$1${value}`);
}

function put(text) {
  const before = $("yaml").value.split("\n");
  $("yaml").value = text;
  paint();
  show(text.split("\n").findIndex((line, i) => line !== before[i]));
  save();
  drawRules(startingPoint(), put);
}

// Brings the first line that changed into sight, and lights it up for a moment.
function show(line) {
  if (line < 0) return;
  const yaml = $("yaml");
  yaml.scrollTop = Math.max(0, (line - 8) * lineHeight());
  const row = $("paint").children[line];
  row?.classList.remove("touched");
  void row?.offsetWidth;
  row?.classList.add("touched");
}

function save() {
  const text = $("yaml").value;
  pending = text;
  unanswered += 1;
  saving = saving.then(async () => {
    const done = await act("save", { text });
    unanswered -= 1;
    if (!done && !unanswered) pending = null;
  });
}

function onKey(event) {
  if ((event.ctrlKey || event.metaKey) && event.code === "KeyS") {
    event.preventDefault();
    save();
  }
}

function drawVerdict() {
  const unsaved = $("yaml").value !== state.text;
  const outcome = state.outcome === "taken" && !state.changes.length ? "taken_nothing" : state.outcome;
  const verdict = { outcome: unsaved ? "unsaved" : outcome, changes: state.changes, mistakes: state.mistakes };
  const box = $("verdict");
  box.dataset.outcome = verdict.outcome;
  const words = t(verdict.outcome);
  const time = ["untouched", "waiting"].includes(verdict.outcome) || unsaved ? "" : clock(state.at_ms);
  const print = JSON.stringify([words, time, verdict]);
  if (box.print === print) return;
  box.print = print;
  const head = el("p", "verdict-head");
  head.setAttribute("role", "status");
  head.append(el("strong", "", words), el("time", "", time));
  box.replaceChildren(head, list(verdict));
}

function list({ changes, mistakes: found }) {
  const items = el("ul", "verdict-list");
  for (const change of changes) {
    const item = el("li");
    item.append(el("code", "", change));
    items.append(item);
  }
  for (const mistake of found) {
    const button = el("button", "mistake");
    button.type = "button";
    button.append(el("span", "where", t("line", mistake)), el("span", "", mistake.message));
    button.addEventListener("click", () => goTo(mistake));
    const item = el("li");
    item.append(button);
    items.append(item);
  }
  return items;
}

function goTo({ line, column }) {
  const yaml = $("yaml");
  const lines = yaml.value.split("\n");
  const start = lines.slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0) + column - 1;
  yaml.focus();
  yaml.setSelectionRange(start, start + (lines[line - 1]?.slice(column - 1).match(/^[^\s:]+/)?.[0].length ?? 0));
  yaml.scrollTop = Math.max(0, (line - 6) * lineHeight());
}

function drawIdeas() {
  keep(
    $("ideas"),
    IDEAS.map(([name]) => ({ name, words: t(name) })),
    (idea) => idea.name,
    (idea) => {
      const item = el("li");
      const button = el("button", "idea");
      button.type = "button";
      button.dataset.idea = idea.name;
      const edit = IDEAS.find(([name]) => name === idea.name)[1];
      button.addEventListener("click", () => put(edit(startingPoint())));
      item.append(button);
      return item;
    },
    (item, idea) => {
      item.firstChild.textContent = idea.words;
    },
  );
}

// The coloured text lies under the transparent text of the field.
function paint() {
  const lines = $("yaml").value.split("\n");
  const saved = $("yaml").value === state?.text;
  const marked = (line) => saved && mistakes.has(line);
  keep($("gutter"), lines.map((_, i) => ({ n: i + 1, bad: marked(i + 1) })), (l) => l.n, () => el("li"), (item, l) => {
    item.textContent = l.n;
    item.classList.toggle("bad", l.bad);
  });
  keep($("paint"), lines.map((text, i) => ({ n: i, text, bad: marked(i + 1) })), (l) => l.n, () => el("div"), (row, l) => {
    row.classList.toggle("bad", l.bad);
    row.replaceChildren(...colours(l.text));
  });
  if (state) drawVerdict();
  scroll();
}

function colours(text) {
  const [, code, remark] = /^(.*?)((?:^\s*|\s)#.*)?$/.exec(text);
  const found = /^(\s*(?:- )?)([\w-]+)(:)(.*)$/.exec(code);
  const parts = found
    ? [document.createTextNode(found[1]), el("span", "key", found[2]), document.createTextNode(found[3]), el("span", "value", found[4])]
    : [document.createTextNode(code)];
  if (remark) parts.push(el("span", "remark", remark));
  if (!text) parts.push(document.createTextNode("\u200b"));
  return parts;
}

function scroll() {
  const yaml = $("yaml");
  $("paint").style.transform = `translate(${-yaml.scrollLeft}px, ${-yaml.scrollTop}px)`;
  $("gutter").style.transform = `translateY(${-yaml.scrollTop}px)`;
}

const lineHeight = () => parseFloat(getComputedStyle($("yaml")).lineHeight);
