// What a message holds besides words: a picture, a film, sound, a document, a place, a card.

import { el, icon } from "./dom.js";
import { player } from "./player.js";
import { currentLanguage, size, t } from "./words.js";

const MAKERS = {
  image: photo, video: film, voice: player, audio: player, document: paper, sticker, location: place, contact: card,
};

// Keeps the slot in step with the thing: made once, so that nothing that plays is interrupted.
export function keepThing(slot, thing) {
  const print = JSON.stringify([thing, currentLanguage()]);
  if (slot.thing === print) return;
  slot.thing = print;
  slot.replaceChildren(...(thing ? [MAKERS[thing.what](thing)] : []));
  slot.hidden = !thing;
}

function photo({ url }) {
  const link = opened(el("a", "photo"), url);
  link.append(picture(url, t("open_image"), link));
  return link;
}

function sticker({ url }) {
  const frame = el("span", "sticker");
  frame.append(picture(url, t("what_sticker"), frame));
  return frame;
}

// The frame has its size before the picture comes, so nothing moves when it does.
function picture(url, words, frame) {
  const image = el("img");
  image.alt = words;
  image.decoding = "async";
  image.addEventListener("error", () => frame.replaceChildren(el("span", "unloaded", t("not_loaded"))));
  image.src = url;
  return image;
}

function film({ url }) {
  const video = el("video", "film");
  video.controls = true;
  video.preload = "metadata";
  video.playsInline = true;
  video.setAttribute("aria-label", t("what_video"));
  video.src = url;
  return video;
}

function paper({ url, name, size: bytes }) {
  const link = el("a", "paper");
  link.href = url;
  link.download = name;
  link.setAttribute("aria-label", t("download", { name }));
  const words = el("span", "paper-words");
  const kind = name.includes(".") ? name.split(".").at(-1).slice(0, 4).toUpperCase() : "";
  words.append(el("span", "paper-name", name), el("span", "paper-size", bytes ? size(bytes) : ""));
  const badge = el("span", "paper-kind", kind);
  badge.dataset.kind = kind;
  link.title = name;
  link.append(badge, words, icon("down"));
  return link;
}

function place({ name, words }) {
  const box = el("span", "place");
  const map = el("span", "map");
  map.append(icon("pin"));
  box.append(map, el("strong", "", name || t("what_location")), el("span", "faint", words));
  return box;
}

function card({ name, words }) {
  const box = el("span", "contact");
  const lines = el("span", "paper-words");
  lines.append(el("strong", "", name), el("span", "faint", words));
  box.append(el("span", "avatar", name[0]), lines);
  return box;
}

function opened(link, url) {
  link.href = url;
  link.target = "_blank";
  link.rel = "noopener";
  return link;
}
