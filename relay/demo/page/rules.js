// The rules as switches: each is a line of the file, edited and saved as a person would.

import { $, el, keep } from "./dom.js";
import { t } from "./words.js";

const TITLED = "[support]";
const LISTED = '["+79000000002"]';
const BOTH = "[sales, support]";
const SECOND_USER = "  18:\n(?:    .*\n)*?    channels: ";

const RULES = [
  ["switch_title", ...value("title_in_messages", TITLED, "[]")],
  ["switch_import", ...value("import_sent_from_phone", "true", "false")],
  ["switch_listed", ...value("blacklist", LISTED, "[]")],
  ["switch_eight", ...value("phone_8_to_7", "true", "false")],
  ["switch_replies", ...value("error_replies", "true", "false")],
  ["switch_signature", ...remark("    ", "signature: Ольга.*")],
  ["switch_route", ...valueAfter(SECOND_USER, BOTH, "[support]")],
  ["switch_everyone", ...remark("  ", "everyone_else:.*|  channels: \\[support\\]$")],
];

// Each kind of edit is a pair: whether the file has it, and the file with or without it.
function value(key, on, off) {
  return valueAfter(`^ *${key}: `, on, off);
}

function valueAfter(before, on, off) {
  const found = new RegExp(`(${before})(.*?)( +#.*)?$`, "m");
  const put = (text, wanted) =>
    text.replace(found, (_, start, old, rest = "") => {
      const room = Math.max(1, old.length + rest.search(/#/) - wanted.length);
      return start + wanted + (rest ? " ".repeat(room) + rest.trimStart() : "");
    });
  return [
    (text) => ![off, undefined].includes(found.exec(text)?.[2]),
    (text, wanted) => put(text, wanted ? on : off),
  ];
}

function remark(indent, line) {
  const plain = new RegExp(`^${indent}(${line})`, "gm");
  const remarked = new RegExp(`^${indent}# (${line})`, "gm");
  return [
    (text) => text.search(plain) >= 0,
    (text, wanted) => (wanted ? text.replace(remarked, `${indent}$1`) : text.replace(plain, `${indent}# $1`)),
  ];
}

// `text` is what a switch edits; `put` saves what becomes of it.
export function drawRules(text, put) {
  const rules = RULES.map(([name, has]) => ({ name, on: has(text), words: t(name), about: t(`about_${name}`) }));
  const make = (rule) => {
    const item = el("li");
    const button = el("button", "switch");
    button.type = "button";
    button.setAttribute("role", "switch");
    button.append(el("span", "rule-name"));
    button.addEventListener("click", () => {
      const [, has, change] = RULES.find(([name]) => name === rule.name);
      const now = $("rules").text;
      put(change(now, !has(now)));
    });
    item.append(button, el("p", "about"));
    return item;
  };
  $("rules").text = text;
  keep($("rules"), rules, (rule) => rule.name, make, (item, rule) => {
    item.firstChild.setAttribute("aria-checked", rule.on);
    item.firstChild.firstChild.textContent = rule.words;
    item.lastChild.textContent = rule.about;
  });
}
