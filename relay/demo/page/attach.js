// What goes with the next message: a sample or a file from the disk, chosen in a small menu.

import { deedButton } from "./deeds.js";
import { $, el, setText } from "./dom.js";
import { canRecord, record } from "./recorder.js";
import { complain, inOrder, upload } from "./wire.js";
import { minutes, size, t } from "./words.js";

const LARGEST_MB = 16;
const TICK_MS = 250;
const WITHOUT_CAPTION = ["voice", "sticker", "place", "card"]; // so they are sent at once

// The clip beside a field. `side` opens the ids of its parts; `sender` gives what sends from the chat
// that is open now: (verb, fields, quotes).
export class Attaching {
  constructor(side, samples, aim, sender) {
    this.side = side;
    this.button = $(`${side}-attach`);
    this.menu = $(`${side}-menu`);
    this.line = $(`${side}-file`);
    this.field = $(`${side}-text`);
    this.aim = aim;
    this.sender = sender;
    this.chosen = null;
    this.ticking = 0;
    for (const name of samples) this.offer(`sample_${name}`, () => this.take({ sample: name }));
    if (canRecord) this.offer("record", async () => this.take({ recording: await record() }));
    this.offer("from_disk", () => this.disk.click());
    this.disk = this.menu.nextElementSibling;
    this.disk.addEventListener("change", () => this.takeFile(this.disk.files[0]));
    this.field.addEventListener("paste", ({ clipboardData }) => this.takeFile(clipboardData.files[0]));
    this.field.closest(".panel").addEventListener("drop", ({ dataTransfer }) => this.takeFile(dataTransfer.files[0]));
    this.button.addEventListener("click", () => this.open(this.menu.hidden));
    document.addEventListener("click", (event) => this.leave(event));
    this.menu.addEventListener("focusout", ({ relatedTarget }) => relatedTarget && this.leave({ target: relatedTarget }));
    this.menu.parentElement.addEventListener("keydown", (event) => this.escape(event));
  }

  offer(word, choose) {
    const item = el("button", "offer");
    item.type = "button";
    item.dataset.t = word;
    item.addEventListener("click", () => {
      this.open(false);
      choose();
    });
    this.menu.append(item);
  }

  open(open) {
    this.menu.hidden = !open;
    this.button.setAttribute("aria-expanded", open);
    if (open) this.menu.firstElementChild.focus();
  }

  leave({ target }) {
    if (!this.menu.hidden && !this.menu.contains(target) && !this.button.contains(target)) this.open(false);
  }

  escape({ key }) {
    if (key !== "Escape" || this.menu.hidden) return;
    this.open(false);
    this.button.focus();
  }

  takeFile(file) {
    this.disk.value = ""; // so that the same file may be chosen again
    if (!file || this.button.disabled) return;
    const told = { n: LARGEST_MB, size: size(file.size) };
    if (file.size > LARGEST_MB * 1_000_000) complain(t("too_large", told));
    else if (!file.size) complain(t("empty_file"));
    else this.take({ file });
  }

  take(chosen) {
    if (chosen.recording === null) return;
    if (this.aim.kind === "edit") this.aim.clear();
    if (WITHOUT_CAPTION.includes(chosen.sample)) {
      const { id } = this.aim;
      this.aim.clear();
      this.button.focus();
      this.deliver(chosen, "", id);
    } else this.show(chosen);
  }

  show(chosen) {
    this.clear();
    this.chosen = chosen;
    const line = el("span", "quote", wordsOf(chosen));
    this.line.replaceChildren(line, deedButton("✕", t("cancel"), () => this.clear()));
    this.line.hidden = false;
    this.line.ariaLive = chosen.recording ? "off" : "polite"; // not every second aloud
    line.classList.toggle("records", Boolean(chosen.recording));
    if (chosen.recording) this.ticking = setInterval(() => setText(line, wordsOf(chosen)), TICK_MS);
    this.field.placeholder = t(isVoice(chosen) ? "recording_hint" : "caption");
    this.field.focus();
  }

  clear() {
    this.release()?.recording?.stop();
  }

  // What was chosen, for it is about to be sent.
  release() {
    const { chosen } = this;
    this.chosen = null;
    clearInterval(this.ticking);
    this.line.hidden = true;
    this.field.placeholder = t(this.field.dataset.tHint);
    return chosen;
  }

  // Sends what was chosen; true if that was done.
  deliver(chosen, caption, quotes) {
    const send = this.sender();
    return inOrder(async () => {
      if (chosen.recording) Object.assign(chosen, { file: await chosen.recording.finish(), voice: this.side, recording: undefined });
      const { file, voice, sample } = chosen;
      const thing = file ? await upload(file, voice) : `sample:${sample}`;
      return Boolean(thing) && send("sends", { thing, text: caption }, quotes);
    });
  }
}

// Words do not go with a voice message: they stay in the field.
export const isVoice = (chosen) => Boolean(chosen?.recording || chosen?.voice);

function wordsOf({ recording, file, voice, sample }) {
  if (recording) return t("recording", { time: minutes(recording.seconds) });
  if (voice) return t("what_voice");
  return file ? `${file.name} · ${size(file.size)}` : t(`sample_${sample}`);
}
