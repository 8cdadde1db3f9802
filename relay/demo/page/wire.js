// The wire to the demonstration: its state comes as server-sent events, actions go as JSON.

import { $ } from "./dom.js";
import { t } from "./words.js";

let forget = 0;

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
    complain((await answer.json()).error);
  } catch (error) {
    complain(error.message);
  }
  return false;
}

function complain(error) {
  const toast = $("toast");
  toast.textContent = t("failed", { error });
  toast.hidden = false;
  clearTimeout(forget);
  forget = setTimeout(() => (toast.hidden = true), 5000);
}
