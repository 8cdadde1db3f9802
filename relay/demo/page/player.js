// A player for what is heard: a button, the place in the recording, and its time.

import { el, icon } from "./dom.js";
import { minutes, t } from "./words.js";

let heard = null; // one at a time

// What a browser has recorded does not tell its length: that is found at its end.
function measure(audio) {
  if (audio.duration !== Infinity) return;
  audio.addEventListener("durationchange", () => (audio.currentTime = 0), { once: true });
  audio.currentTime = Number.MAX_SAFE_INTEGER;
}

// How loud it is there, from 0 to 100; every second one is enough.
function drawBar(loudness) {
  const bar = el("span", "bar");
  bar.style.height = `${Math.max(12, loudness)}%`;
  return bar;
}

export function player({ what, url, duration_s: told, waveform = [] }) {
  const box = el("span", "player");
  const audio = el("audio");
  const button = el("button", "play");
  const track = el("input", "track");
  const time = el("span", "time");
  const bars = waveform.filter((_, place) => place % 2 === 0).map(drawBar);
  const length = () => (Number.isFinite(audio.duration) ? audio.duration : told ?? 0);

  function draw() {
    const name = audio.paused ? "play" : "pause";
    if (button.dataset.shows !== name) {
      button.dataset.shows = name;
      button.replaceChildren(icon(name));
      button.setAttribute("aria-label", `${t(name)}: ${t(`what_${what}`)}`);
    }
    track.max = Math.max(length(), 0.1);
    track.value = audio.currentTime;
    const done = track.value / track.max;
    track.style.setProperty("--done", `${100 * done}%`);
    bars.forEach((bar, place) => bar.classList.toggle("heard", place < done * bars.length));
    time.textContent = length() ? minutes(audio.currentTime || length()) : "–";
    track.setAttribute("aria-valuetext", minutes(audio.currentTime));
  }

  button.type = "button";
  button.addEventListener("click", () => {
    if (!audio.paused) return audio.pause();
    if (heard !== audio) heard?.pause();
    heard = audio;
    if (audio.error) audio.load(); // it may be there by now
    audio.play().catch(() => (time.textContent = t("not_loaded")));
  });
  track.type = "range";
  track.step = "0.01";
  track.min = track.value = "0";
  track.setAttribute("aria-label", t("position"));
  track.addEventListener("input", () => (audio.currentTime = Number(track.value)));
  for (const event of ["play", "pause", "timeupdate", "seeked", "durationchange"]) audio.addEventListener(event, draw);
  audio.addEventListener("ended", () => (audio.currentTime = 0));
  audio.addEventListener("loadedmetadata", () => measure(audio), { once: true });
  audio.preload = "metadata";
  audio.src = url;
  const line = el("span", bars.length ? "line drawn" : "line");
  line.append(...bars, track);
  box.append(audio, button, line, time);
  draw();
  return box;
}
