// The page: draws the state each time it comes, and keeps only what the reader has chosen to see.

import { drawCrm, openCrm } from "./crm.js";
import { $, el, keep } from "./dom.js";
import { drawEditor, openEditor } from "./editor.js";
import { drawJournal, openJournal } from "./journal.js";
import { drawPhone, openPhone } from "./phone.js";
import { listen } from "./wire.js";
import { chooseLanguage, currentLanguage, t, translateDocument } from "./words.js";

const GOOD_LIFE = { running: "good", starting: "fair" };
const GOOD_STATE = { connected: "good", connecting: "fair", starting: "fair", reconnecting: "fair" };

let state = null;
let lost = false;

function redraw() {
  if (!state) return;
  drawBadges();
  drawPhone(state);
  drawJournal(state);
  drawCrm(state);
  drawEditor(state);
  document.body.dataset.ready = state.relay.life === "running" && state.amocrm.connected;
}

function drawBadges() {
  const { life, health } = state.relay;
  const badges = lost ? [{ id: "lost", text: t("lost_page"), mood: "bad" }] : [
    { id: "life", text: t(`life_${life}`), mood: GOOD_LIFE[life] ?? "bad", fixed: true },
    ...channels(health),
    ...queues(health),
  ];
  keep($("badges"), badges, (b) => b.id, makeBadge, updateBadge);
}

function channels(health) {
  return Object.entries(health?.channels ?? {}).map(([id, channel]) => ({
    id: `channel ${id}`,
    text: state.file.titles[id] ?? id,
    note: t(channel.state),
    mood: GOOD_STATE[channel.state] ?? "bad",
  }));
}

function queues(health) {
  return Object.entries(health?.queue ?? {}).map(([name, queue]) => ({
    id: `queue ${name}`,
    text: `${t(`queue_${name}`)}: ${queue.waiting}`,
    note: queue.dead ? t("dead", { n: queue.dead }) : "",
    mood: queue.dead ? "bad" : queue.waiting ? "fair" : "calm",
    fixed: true,
  }));
}

function makeBadge() {
  const badge = el("li", "badge");
  badge.append(el("span", "badge-text"), el("span", "badge-note"));
  return badge;
}

function updateBadge(badge, { text, note, mood, fixed }) {
  badge.dataset.mood = mood;
  badge.classList.toggle("fixed", Boolean(fixed));
  badge.firstChild.textContent = text;
  badge.lastChild.textContent = note ?? "";
  badge.title = text;
}

function choose(language) {
  chooseLanguage(language);
  show();
}

function show() {
  translateDocument();
  for (const name of ["ru", "en"]) {
    $(`lang-${name}`).setAttribute("aria-pressed", name === currentLanguage());
  }
  for (const list of document.querySelectorAll("#phone-chat, #crm-chat, #tales, #ideas, #rules, #badges")) {
    for (const item of list.children) item.print = "";
    for (const item of list.querySelectorAll("[data-key]")) item.print = "";
  }
  redraw();
}

// A file let fall beside a chat must not open in place of the page.
for (const event of ["dragover", "drop"]) document.addEventListener(event, (fallen) => fallen.preventDefault());

$("lang-ru").addEventListener("click", () => choose("ru"));
$("lang-en").addEventListener("click", () => choose("en"));
openPhone(redraw);
openCrm(redraw);
openJournal(redraw);
openEditor();
show();
listen(
  (fresh) => {
    state = fresh;
    lost = false;
    redraw();
  },
  () => {
    lost = true;
    redraw();
  },
);
