// The wire to the demonstration: its state comes as server-sent events, actions go as JSON.

import { $ } from "./dom.js";
import { t } from "./words.js";

let forget = 0;
let last = Promise.resolve();

export function listen(onState, onLost) {
  const source = new EventSource("/events");
  source.onmessage = (message) => onState(JSON.parse(message.data));
  source.onerror = onLost;
}

// Asks for an action; true if it was done. What went wrong is shown.
export async function act(action, fields = {}) {
  try {
    const answer = await fetch("/act", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ do: action, ...fields }),
    });
    if (answer.ok) return true;
    complain(t("failed", { error: (await answer.json()).error }));
  } catch (error) {
    complain(t("failed", { error: error.message }));
  }
  return false;
}

// Keeps a file for an action to send; the word for it, or null. `voice`: the side it was recorded on. What went wrong is shown.
export async function upload(file, voice) {
  try {
    const about = new URLSearchParams({ name: file.name, ...(voice ? { voice } : {}) });
    const answer = await fetch(`/files?${about}`, {
      method: "POST",
      headers: { "Content-Type": "application/octet-stream" },
      body: file,
    });
    const said = await answer.json();
    if (answer.ok) return said.file;
    complain(t("failed", { error: said.error }));
  } catch (error) {
    complain(t("failed", { error: error.message }));
  }
  return null;
}

// One after the other: a word written after a file must not overtake it.
export function inOrder(work) {
  const done = last.then(work);
  last = done.catch(() => {});
  return done;
}

export function complain(words) {
  const toast = $("toast");
  toast.textContent = words;
  toast.hidden = false;
  clearTimeout(forget);
  forget = setTimeout(() => (toast.hidden = true), 5000);
}
