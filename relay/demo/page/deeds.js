// What may be done with a message: put an emoji on it, answer it, edit it, take it back.

import { el } from "./dom.js";
import { briefly, t } from "./words.js";

const EMOJIS = ["👍", "❤️", "😂"];
const MARKS = { answer: "↩", edit: "✎", delete: "✕" };

// The row of buttons of a bubble. `deeds` has what may be done: react(emoji), answer, edit, delete.
export function deedRow(deeds, own) {
  const row = el("span", "deeds");
  for (const emoji of deeds.react ? EMOJIS : []) {
    const button = deedButton(emoji, t("react", { emoji }), () => deeds.react(own === emoji ? "" : emoji));
    button.setAttribute("aria-pressed", own === emoji);
    row.append(button);
  }
  for (const [name, mark] of Object.entries(MARKS)) {
    if (deeds[name]) row.append(deedButton(mark, t(`deed_${name}`), deeds[name]));
  }
  return row;
}

export function deedButton(mark, label, act) {
  const button = el("button", "deed", mark);
  button.type = "button";
  button.title = label;
  button.setAttribute("aria-label", label);
  button.addEventListener("click", act);
  return button;
}

// The emojis on a bubble.
export function reactionRow(reactions) {
  const row = el("span", "reactions", Object.values(reactions).join(" "));
  row.hidden = !Object.keys(reactions).length;
  return row;
}

// What a bubble answers.
export function quoteRow(brief) {
  const row = el("span", "quote", brief ? briefly(brief) : "");
  row.hidden = brief === null;
  return row;
}

// The line above a field that tells what the next text is for; it is kept until sent or cancelled.
export class Aim {
  constructor(line, field) {
    this.line = line;
    this.field = field;
    this.clear();
  }

  take(kind, { id, brief, text }) {
    this.kind = kind;
    this.id = id;
    const close = deedButton("✕", t("cancel"), () => this.clear());
    this.line.replaceChildren(el("span", "quote", `${MARKS[kind]} ${briefly(brief)}`), close);
    this.line.hidden = false;
    this.field.value = kind === "edit" ? text : this.field.value;
    this.field.focus();
  }

  clear() {
    if (this.kind === "edit") this.field.value = "";
    this.kind = this.id = null;
    this.line.hidden = true;
  }
}
