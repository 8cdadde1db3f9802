// The choice between the page's words, and how numbers and times are written in them.

import { EN } from "./words_en.js";
import { RU } from "./words_ru.js";

const WORDS = { ru: RU, en: EN };

let language = localStorage.getItem("language") === "en" ? "en" : "ru";

export function currentLanguage() {
  return language;
}

export function chooseLanguage(chosen) {
  language = chosen;
  localStorage.setItem("language", chosen);
}

export function t(key, values = {}) {
  const text = WORDS[language][key] ?? key;
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

export function has(key) {
  return key in WORDS[language];
}

// Puts the words into everything marked in the document.
export function translateDocument() {
  document.documentElement.lang = language;
  document.title = `${t("title")} · ${language === "ru" ? "демонстрация" : "demonstration"}`;
  for (const node of document.querySelectorAll("[data-t]")) node.textContent = t(node.dataset.t);
  for (const node of document.querySelectorAll("[data-t-label]")) node.setAttribute("aria-label", t(node.dataset.tLabel));
  for (const node of document.querySelectorAll("[data-t-about]")) node.title = t(node.dataset.tAbout);
  for (const node of document.querySelectorAll("[data-t-hint]")) node.placeholder = t(node.dataset.tHint);
}

export function clock(ms) {
  return new Date(ms).toLocaleTimeString(language === "ru" ? "ru" : "en-GB", { hour: "2-digit", minute: "2-digit" });
}

export function duration(ms) {
  if (ms < 1000) return t("ms", { n: Math.round(ms) });
  const seconds = (ms / 1000).toLocaleString(language, { maximumFractionDigits: ms < 10_000 ? 1 : 0 });
  return t("seconds", { n: seconds });
}

// +79000000001 as people write it.
export function number(digits) {
  return digits.replace(/^\+7(\d{3})(\d{3})(\d\d)(\d\d)$/, "+7 $1 $2-$3-$4");
}

// 165255 as people say it.
export function size(count) {
  const [unit, each] = count < 1000 ? ["bytes", 1] : count < 1_000_000 ? ["kilobytes", 1000] : ["megabytes", 1_000_000];
  const n = (count / each).toLocaleString(language, { maximumFractionDigits: each > 1000 ? 1 : 0 });
  return t(unit, { n });
}

// Seconds as a clock shows them.
export function minutes(seconds) {
  const whole = Number.isFinite(seconds) ? Math.round(seconds) : 0;
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

// A message in a few words: { what, words }.
export function briefly({ what, words }) {
  if (what === "text") return words;
  return [t(`what_${what}`), words].filter(Boolean).join(" · ");
}
