// The client's card beside his chat: its numbers, and what they were before the relay touched them.

import { drawAvatar, el } from "./dom.js";
import { t } from "./words.js";

const before = new Map();

export function drawCard(strip, chat) {
  const card = chat?.card;
  const phones = card?.phones ?? [];
  if (card && !before.has(card.id)) before.set(card.id, phones);
  const old = before.get(card?.id) ?? [];
  const print = JSON.stringify([card, chat?.lead, chat?.title, chat?.avatar, t("card")]);
  if (strip.print === print) return;
  strip.print = print;
  const parts = phones.flatMap((phone, i) => number(phone, old[i]));
  if (!card) strip.replaceChildren();
  else strip.replaceChildren(face(chat), el("span", "", t("card")), ...parts, el("span", "lead", lead(chat)));
}

// Behind the very link that came with his first message.
function face(chat) {
  const frame = el("span", "avatar small");
  drawAvatar(frame, chat.title, chat.avatar);
  return frame;
}

// A number that was rewritten shows what it was.
function number(phone, was) {
  const now = el("span", "number", phone);
  if (was === undefined || was === phone) return [now];
  now.classList.add("rewritten");
  return [el("s", "", was), now];
}

const lead = (chat) => (chat.lead ? t("lead", { n: chat.lead }) : "");
