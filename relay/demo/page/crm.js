// amoCRM on the right: its chats, a manager's or robot's answers, and its troubles.

import { Attaching, isVoice } from "./attach.js";
import { drawCard } from "./card.js";
import { Aim, deedRow, quoteRow, reactionRow } from "./deeds.js";
import { $, chips, el, follow, icon, keep, options, setHidden } from "./dom.js";
import { keepThing } from "./media.js";
import { act, inOrder } from "./wire.js";
import { clock, t } from "./words.js";

const TROUBLES = document.querySelectorAll("[data-trouble]");
const ROBOT = "robot";
const SAMPLES = ["answer", "film", "voice", "price"];
const TYPING_EVERY_MS = 4000;

let state = null;
let titles = {};
let lines = [];
let chosen = null;
let known = new Set();
let typedMs = 0;
const aim = new Aim($("crm-aim"), $("crm-text"));
const attaching = new Attaching("crm", SAMPLES, aim, sender);

export function openCrm(redraw) {
  $("chats").choose = (id) => {
    chosen = id;
    aim.clear();
    attaching.clear();
    $("crm-chat").replaceChildren();
    redraw();
  };
  $("crm-form").addEventListener("submit", answer);
  $("crm-text").addEventListener("input", tellTyping);
  $("first").addEventListener("click", () => showFirst($("first-form").hidden));
  $("first-form").addEventListener("submit", writeFirst);
  for (const button of TROUBLES) {
    button.addEventListener("click", () =>
      act("switch_trouble", {
        trouble: button.dataset.trouble,
        on: button.getAttribute("aria-pressed") !== "true",
      }));
  }
}

export function drawCrm(whole) {
  state = whole.amocrm;
  $("cards").href = state.page;
  titles = whole.file.titles;
  lines = whole.whatsapp.lines;
  drawChats();
  const chat = current();
  const list = $("crm-chat");
  follow(list, () => keep(list, chat?.messages ?? [], (m) => m.id, makeMessage, updateMessage));
  drawCard($("card"), chat);
  setHidden($("no-chats"), Boolean(chat));
  setHidden(list, !chat);
  drawForms(whole.whatsapp, Boolean(chat));
  for (const button of TROUBLES) {
    button.setAttribute("aria-pressed", state.troubles.includes(button.dataset.trouble));
  }
}

// A chat that has just begun comes to the front.
function drawChats() {
  const fresh = state.chats.filter((chat) => !known.has(chat.id));
  known = new Set(state.chats.map((chat) => chat.id));
  if (fresh.length || !current()) {
    const before = chosen;
    chosen = fresh.at(-1)?.id ?? state.chats[0]?.id ?? null;
    if (before !== chosen) $("crm-chat").replaceChildren();
  }
  const items = state.chats.map((chat) => ({ id: chat.id, text: label(chat) }));
  chips($("chats"), items, chosen, $("chats").choose);
}

// A chat's name, with the channel's title once the relay has bound it to one.
function label(chat) {
  const own = chat.conversation?.split("-")[1];
  const line = lines.find((l) => l.number === `+${own}`);
  return line ? `${chat.title} · ${titles[line.channel] ?? line.channel}` : chat.title;
}

function drawForms(whatsapp, open) {
  const authors = state.users.map((user) => ({ value: String(user.id), text: user.name }));
  const all = [...authors, { value: ROBOT, text: t("robot") }];
  options($("author"), all);
  options($("first-author"), all);
  const sources = lines.map((line) => ({ value: line.channel, text: titles[line.channel] ?? line.channel }));
  options($("first-source"), [{ value: "", text: t("no_source") }, ...sources]);
  for (const control of $("crm-form").elements) control.disabled = !open || !state.connected;
  $("first").disabled = !state.connected;
  const numbers = [
    ...whatsapp.people.map((p) => ({ value: p.number.replace("+7", "8"), text: p.name })),
    { value: whatsapp.not_on_whatsapp, text: "—" },
  ];
  options($("numbers"), numbers);
}

function makeMessage(message) {
  const item = el("li", "bubble arrives");
  item.append(el("span", "author", message.author.name), el("span", "quote"), el("span", "thing"));
  item.append(el("span", "said"), el("span", "stamp"), el("span"), el("span"));
  return item;
}

function updateMessage(item, message) {
  const out = message.direction === "out";
  item.classList.toggle("mine", out);
  item.classList.toggle("failed", message.status === -1 || message.hook === "lost");
  item.dataset.status = message.status ?? "none";
  item.classList.toggle("error-reply", message.error_reply);
  const [, quote, thing, said, stamp, reactions, deeds] = item.children;
  quote.replaceWith(quoteRow(message.quote));
  keepThing(thing, message.thing);
  said.textContent = message.text;
  reactions.replaceWith(reactionRow(message.reactions));
  deeds.replaceWith(deedRow(deedsOf(message)));
  const marks = [el("span", "", clock(message.at_ms))];
  if (message.edited) marks.unshift(el("span", "", t("was_edited")));
  if (out && message.hook) marks.push(...delivery(message));
  if (message.author.kind === "bot") marks.unshift(el("span", "via", t("bot_mark")));
  stamp.replaceChildren(...marks);
}

function deedsOf(message) {
  return {
    react: (emoji) => {
      const user = author() ?? state.users[0].id;
      const off = Object.values(message.reactions).includes(emoji);
      return act("manager_reacts", { message: message.id, user, emoji: off ? "" : emoji });
    },
    answer: () => aim.take("answer", message),
  };
}

function delivery(message) {
  if (message.hook === "lost") return [icon("alert"), el("span", "reason", t("hook_lost", { reason: message.hook_lost }))];
  if (message.status === -1) {
    const words = t("crm_failed", { code: message.error_code, error: message.error });
    return [icon("alert"), el("span", "reason", words)];
  }
  if (message.hook === "under_way") return [icon("clock"), el("span", "", t("hook_under_way"))];
  const name = { 1: "delivered", 2: "read" }[message.status] ?? "sent";
  const mark = icon(name === "sent" ? "tick" : "ticks");
  mark.classList.add(name);
  return [mark, el("span", "", t(`crm_${name}`))];
}

async function answer(event) {
  event.preventDefault();
  const field = $("crm-text");
  const text = field.value.trim();
  const { chosen: thing } = attaching;
  if (!(text || thing) || !chosen) return;
  const { id } = aim;
  aim.clear();
  attaching.release();
  if (!isVoice(thing)) field.value = "";
  const send = sender();
  if (await (thing ? attaching.deliver(thing, isVoice(thing) ? "" : text, id) : inOrder(() => send("writes", { text }, id)))) return;
  field.value ||= text;
  if (thing) attaching.show(thing);
}

function sender() {
  const [chat, user] = [chosen, author()];
  return (verb, fields, quotes) => act(`manager_${verb}`, { chat, user, ...fields, ...(quotes ? { quotes } : {}) });
}

// amoCRM tells the integration every few seconds that a manager is typing.
function tellTyping() {
  const [user, now] = [author(), Date.now()];
  if (user === null || !chosen || now - typedMs < TYPING_EVERY_MS) return;
  typedMs = now;
  act("manager_types", { chat: chosen, user });
}

async function writeFirst(event) {
  event.preventDefault();
  const phone = $("first-phone").value.trim();
  const text = $("first-text").value.trim();
  if (!phone || !text) return;
  const source = $("first-source").value || null;
  if (await act("write_first", { phone, user: author("first-author"), source, text })) {
    $("first-form").reset();
    showFirst(false);
  }
}

function showFirst(open) {
  $("first-form").hidden = !open;
  $("first").setAttribute("aria-expanded", open);
  if (open) $("first-author").value = $("author").value;
  (open ? $("first-phone") : $("first")).focus();
}

function author(field = "author") {
  const value = $(field).value;
  return value === ROBOT ? null : Number(value);
}

const current = () => state.chats.find((chat) => chat.id === chosen);
