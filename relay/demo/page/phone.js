// The phone on the left: a client's, or the company's handset, with one chat open.

import { Attaching, isVoice } from "./attach.js";
import { Aim, deedRow, quoteRow, reactionRow } from "./deeds.js";
import { $, chips, drawAvatar, el, follow, icon, keep, setHidden, setText } from "./dom.js";
import { keepThing } from "./media.js";
import { act, inOrder } from "./wire.js";
import { clock, number, t } from "./words.js";

const READ_AFTER_MS = 1200;
const CAPTIONED = ["image", "video", "document"];
const SAMPLES = ["question", "film", "voice", "price", "catalogue", "sticker", "place", "card"];

const seen = { view: "client", person: "anna", channel: "sales" };
let state = null;
let reading = 0;
let typed = 0;
let drawAgain = null;
const aim = new Aim($("phone-aim"), $("phone-text"));
const attaching = new Attaching("phone", SAMPLES, aim, sender);

export function openPhone(redraw) {
  drawAgain = redraw;
  const choose = (change) => {
    Object.assign(seen, change);
    $("phone-chat").replaceChildren();
    aim.clear();
    attaching.clear();
    redraw();
  };
  $("view-client").addEventListener("click", () => choose({ view: "client" }));
  $("view-owner").addEventListener("click", () => choose({ view: "owner" }));
  $("lines").choose = (channel) => choose({ channel });
  $("people").choose = (person) => choose({ person });
  $("phone-form").addEventListener("submit", submit);
  $("client-on").addEventListener("click", () =>
    act("switch_client", { person: seen.person, on: !person().online }));
  $("line-on").addEventListener("click", () =>
    act("switch_line", { channel: seen.channel, on: !line().online }));
  $("line-link").addEventListener("click", () =>
    act(line().paired ? "unlink_line" : "take_code", { channel: seen.channel }));
}

export function drawPhone(whole) {
  state = whole.whatsapp;
  if (!line()) return;
  drawChoice(whole);
  drawHead(whole.file.titles);
  const bubbles = state.bubbles.filter((b) => b.person === seen.person && b.channel === seen.channel);
  const chat = $("phone-chat");
  follow(chat, () => keep(chat, shown(bubbles), (b) => b.id, makeBubble, updateBubble));
  drawOff();
  drawSwitch($("client-on"), person().online);
  drawSwitch($("line-on"), line().online);
  drawLink();
  readSoon(bubbles);
}

function shown(bubbles) {
  if (!bubbles.length) return [{ id: "hint", hint: t("no_bubbles") }];
  const mine = seen.view === "client" ? ["client"] : ["relay", "phone"];
  return bubbles.map((b) => ({ ...b, mine: mine.includes(b.author), owner: seen.view === "owner" }));
}

function drawChoice(whole) {
  $("view-client").setAttribute("aria-pressed", seen.view === "client");
  $("view-owner").setAttribute("aria-pressed", seen.view === "owner");
  const unread = (person) =>
    state.bubbles.filter((b) => b.person === person && b.author !== "client" && b.tick === "delivered").length;
  const items = state.people.map((p) => ({ id: p.id, text: p.name, count: unread(p.id) }));
  chips($("people"), items, seen.person, $("people").choose);
  const lines = state.lines.map((l) => ({ id: l.channel, text: whole.file.titles[l.channel] ?? l.channel }));
  chips($("lines"), lines, seen.channel, $("lines").choose);
}

function drawHead(titles) {
  const client = seen.view === "client";
  const title = titles[seen.channel] ?? seen.channel;
  const name = client ? title : person().name;
  setText($("peer-name"), name);
  const avatar = $("peer-avatar");
  avatar.dataset.who = client ? seen.channel : seen.person;
  drawAvatar(avatar, name, client ? null : person().picture);
  const typing = client && isTyping();
  const note = line().held ? t("held", { n: line().held }) : number(client ? line().number : person().number);
  setText($("peer-note"), typing ? t("typing") : note);
  $("peer-note").classList.toggle("typing", typing);
}

// Somebody in amoCRM is writing; the page looks again when that is over.
function isTyping() {
  const said = state.typing.find((each) => each.person === seen.person && each.channel === seen.channel);
  const left = (said?.until_ms ?? 0) - Date.now();
  clearTimeout(typed);
  if (left > 0) typed = setTimeout(drawAgain, left + 1);
  return left > 0;
}

function drawOff() {
  const off = seen.view === "client" && !person().online;
  setHidden($("phone-off"), !off);
  setText($("phone-off"), t("phone_off"));
  $("phone-text").disabled = $("phone-attach").disabled = off;
}

// The relay among the phone's linked devices; removed, it comes back by the code that amoCRM shows.
function drawLink() {
  const { paired, offered } = line();
  drawSwitch($("line-link"), paired);
  setText($("line-link"), t(paired ? "linked" : offered ? "take_code" : "no_code"));
  $("line-link").disabled = !paired && !offered;
}

function drawSwitch(button, on) {
  button.setAttribute("aria-checked", on);
}

function makeBubble(bubble) {
  if (bubble.hint) return el("li", "hint", bubble.hint);
  const item = el("li", "bubble arrives");
  item.append(el("span", "quote"), el("span", "thing"), el("span", "said"), el("span", "stamp"), el("span"), el("span"));
  return item;
}

function updateBubble(item, bubble) {
  if (bubble.hint) return setText(item, bubble.hint);
  item.classList.toggle("mine", bubble.mine);
  const [quote, thing, said, stamp, reactions, deeds] = item.children;
  quote.replaceWith(quoteRow(bubble.quote));
  keepThing(thing, bubble.thing);
  said.textContent = bubble.deleted ? t("was_deleted") : bubble.text;
  item.classList.toggle("deleted", bubble.deleted);
  reactions.replaceWith(reactionRow(bubble.reactions));
  deeds.replaceWith(deedRow(bubble.owner || bubble.deleted ? {} : deedsOf(bubble), bubble.reactions.client));
  const marks = [el("span", "", clock(bubble.at_ms))];
  if (bubble.edited && !bubble.deleted) marks.unshift(el("span", "", t("was_edited")));
  if (bubble.owner && bubble.author === "relay") marks.unshift(el("span", "via", "amoCRM"));
  if (bubble.mine) marks.push(tick(bubble.tick));
  stamp.replaceChildren(...marks);
}

function deedsOf(bubble) {
  const deeds = {
    react: (emoji) => act("client_reacts", { bubble: bubble.id, emoji }),
    answer: () => aim.take("answer", bubble),
  };
  if (!bubble.mine) return deeds;
  const edit = () => {
    attaching.clear();
    aim.take("edit", bubble);
  };
  return {
    ...deeds,
    ...(!bubble.thing || CAPTIONED.includes(bubble.thing.what) ? { edit } : {}),
    delete: () => act("client_takes_back", { bubble: bubble.id }),
  };
}

function tick(name) {
  const mark = icon(name === "sent" ? "tick" : "ticks");
  mark.classList.add(name);
  mark.setAttribute("aria-hidden", "false");
  mark.setAttribute("role", "img");
  mark.setAttribute("aria-label", t(`crm_${name}`));
  mark.dataset.tick = name;
  return mark;
}

async function submit(event) {
  event.preventDefault();
  const field = $("phone-text");
  const text = field.value.trim();
  const { chosen } = attaching;
  const { kind, id } = aim;
  if (!text && !chosen) return;
  aim.clear();
  attaching.release();
  if (!isVoice(chosen)) field.value = "";
  if (await (kind === "edit" ? act("client_edits", { bubble: id, text }) : say(chosen, text, id))) return;
  field.value ||= text;
  if (chosen) attaching.show(chosen);
}

function say(chosen, text, quotes) {
  if (chosen) return attaching.deliver(chosen, isVoice(chosen) ? "" : text, quotes);
  const [verb, send] = [seen.view === "client" ? "writes" : "types", sender()];
  return inOrder(() => send(verb, { text }, quotes));
}

function sender() {
  const { view, person, channel } = seen;
  return (verb, fields, quotes) =>
    act(`${view}_${verb}`, { person, channel, ...fields, ...(quotes && view === "client" ? { quotes } : {}) });
}

// A client who has the chat open reads what comes, a moment later.
function readSoon(bubbles) {
  const open = seen.view === "client" && person().online && document.visibilityState === "visible";
  const fresh = bubbles.some((b) => b.author !== "client" && b.tick === "delivered");
  if (!open || !fresh || reading) return;
  const { person: who, channel } = seen;
  reading = setTimeout(async () => {
    reading = 0;
    if (seen.view === "client" && seen.person === who && seen.channel === channel) {
      await act("client_reads", { person: who, channel });
    }
  }, READ_AFTER_MS);
}

const person = () => state.people.find((p) => p.id === seen.person);
const line = () => state.lines.find((l) => l.channel === seen.channel);
