// The journal in the middle: the life of each message, as the relay told it step by step.

import { $, el, keep, setHidden, setText } from "./dom.js";
import { act } from "./wire.js";
import { briefly, duration, has, t } from "./words.js";

const LIVE_MS = 200;

let told = new Map();

export function openJournal(redraw) {
  $("kill").addEventListener("click", () => act("kill"));
  $("receipts").addEventListener("change", redraw);
  setInterval(countDown, LIVE_MS);
}

export function drawJournal(whole) {
  drawProcess(whole.relay);
  const titles = whole.file.titles;
  const tales = whole.journal
    .filter((tale) => $("receipts").checked || !isReceipt(tale))
    .map((tale) => ({ ...tale, title: titles[tale.channel] ?? tale.channel ?? "", words: t("journal") }));
  keep($("tales"), tales, (tale) => tale.trace, makeTale, updateTale);
  setHidden($("no-tales"), tales.length > 0);
  announce(whole.journal);
}

function drawProcess({ life, pid, starts, health }) {
  $("kill").disabled = life !== "running";
  const troubles = (health?.troubles ?? []).join("; ");
  const line = $("process");
  setText(line, troubles || t(pid ? "process" : "no_process", { pid, starts }));
  line.classList.toggle("trouble", Boolean(troubles));
  line.title = troubles;
}

const isReceipt = (tale) => tale.status !== "";

const wordsOf = (tale) => tale.about.map(briefly).join(" · ");

function makeTale(tale) {
  const item = el("li", "tale arrives");
  const head = el("div", "tale-head");
  head.append(el("span", "way"), el("span", "tale-channel"), el("code", "trace", tale.trace));
  item.append(head, el("p", "tale-text"), el("ol", "steps"), el("code", "lane"));
  return item;
}

function updateTale(item, tale) {
  const [head, text, steps, lane] = item.children;
  item.classList.toggle("receipt", isReceipt(tale));
  item.dataset.end = end(tale);
  item.dataset.direction = tale.direction;
  head.children[0].textContent = tale.direction === "in" ? t("to_amocrm") : t("to_whatsapp");
  head.children[1].textContent = tale.title;
  const words = wordsOf(tale);
  text.textContent = isReceipt(tale) ? `${t(`status_${tale.status}`)}: ${words}` : words;
  lane.textContent = tale.lane;
  const lines = tale.steps.map((step, place) => ({
    ...step,
    place,
    last: place === tale.steps.length - 1,
    again: tale.steps[place + 1]?.detail === step.detail,
  }));
  if (tale.dropped) lines.splice(1, 0, { event: "more", place: "more", n: tale.dropped });
  keep(steps, lines, (step) => step.place, () => makeStep(), updateStep);
}

// A message that failed stays red, whatever is told to amoCRM of it afterwards.
function end({ steps }) {
  const dead = (step) => step.event === "dead" && step.kind !== "fetch";
  const failed = steps.some((step) => dead(step) || step.detail?.startsWith("refused:"));
  return failed ? "dead" : steps.at(-1).event;
}

function makeStep() {
  const item = el("li", "step");
  item.append(el("span", "what"), el("span", "when"), el("span", "why"));
  return item;
}

function updateStep(item, step) {
  const [what, when, why] = item.children;
  item.dataset.event = step.event;
  if (step.event === "more") {
    what.textContent = t("more_steps", { n: step.n });
    return;
  }
  what.textContent = name(step);
  when.textContent = step.event === "ignored" || isHeld(step) ? "" : duration(step.elapsed_ms);
  why.textContent = reason(step);
  item.dueMs = step.event === "deferred" && step.next_try_ms && step.last ? step.at_ms + step.next_try_ms : 0;
  if (item.dueMs) count(item);
}

// It cannot be said yet what becomes of the message, so nothing has been tried.
const isHeld = (step) => step.event === "deferred" && !step.kind;

function name(step) {
  if (step.kind === "fetch") return t(step.event === "accepted" ? "step_fetch" : `step_fetch_${step.event}`, { attempt: step.attempt });
  const aside = { status_update: "status", phone_rewrite: "card", error_reply: "reply" }[step.kind];
  if (aside && step.event === "accepted") return t(`step_${aside}`);
  if (aside && step.event === "delivered") return t(`step_${aside}_delivered`);
  const event = isHeld(step) ? "held" : step.event;
  const words = t(`step_${event}`, { attempt: step.attempt });
  const late = step.event === "delivered" && step.attempt > 1;
  return late ? `${words} ${t("at_attempt", { attempt: step.attempt })}` : words;
}

function reason(step) {
  if (!step.detail || step.again) return "";
  if (step.detail.startsWith("larger than")) return t("file_too_large");
  const rule = isHeld(step) ? `held_${step.detail.replaceAll(" ", "_")}` : `rule_${step.detail.split(":")[0]}`;
  return has(rule) ? t(rule) : step.detail;
}

function countDown() {
  for (const item of $("tales").querySelectorAll('.step[data-event="deferred"]')) {
    if (item.dueMs) count(item);
  }
}

function count(item) {
  const left = item.dueMs - Date.now();
  setText(item.children[1], left > 0 ? t("next_try", { s: Math.ceil(left / 1000) }) : t("trying"));
}

// Says the end of each message's way to those who listen rather than look.
function announce(tales) {
  const before = told;
  told = new Map(tales.map((tale) => [tale.trace, tale.steps.findLast((step) => step.kind !== "fetch")?.event]));
  for (const tale of tales) {
    const end = told.get(tale.trace);
    if (isReceipt(tale) || before.get(tale.trace) === end || !has(`said_${end}`)) continue;
    $("announcer").textContent = t(`said_${end}`, { text: wordsOf(tale) });
  }
}
