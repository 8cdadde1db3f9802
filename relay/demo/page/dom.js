// Small tools for the document: making elements, and keeping a list of them in step with data.

export const $ = (id) => document.getElementById(id);

export function el(tag, className = "", text = "") {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text) node.textContent = text;
  return node;
}

// Somebody's picture in a round frame; without one the first letter of his name.
export function drawAvatar(frame, name, link) {
  const print = JSON.stringify([name, link]);
  if (frame.print === print) return;
  frame.print = print;
  if (!link) return frame.replaceChildren(name[0] ?? "");
  const picture = el("img");
  picture.src = link;
  picture.alt = "";
  frame.replaceChildren(picture);
}

export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#${name}`);
  svg.setAttribute("class", `icon ${name}`);
  svg.setAttribute("aria-hidden", "true");
  svg.append(use);
  return svg;
}

// Writes only what differs, so that nothing flickers and no selection is lost.
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export function setHidden(node, hidden) {
  if (node.hidden !== hidden) node.hidden = hidden;
}

// Keeps the children of `parent` in step with `items`: one child each, by key, moved and not made
// again; `make` makes one, `update` brings it up to date when its item has changed.
export function keep(parent, items, key, make, update) {
  const known = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  let next = parent.firstElementChild;
  for (const item of items) {
    const id = String(key(item));
    let child = known.get(id);
    known.delete(id);
    if (!child) {
      child = make(item);
      child.dataset.key = id;
    }
    const print = JSON.stringify(item);
    if (child.print !== print) {
      child.print = print;
      update(child, item);
    }
    if (child === next) next = next.nextElementSibling;
    else parent.insertBefore(child, next);
  }
  for (const child of known.values()) child.remove();
}

// Scrolls a chat to its end when something new came, unless the reader has scrolled away.
export function follow(list, draw) {
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 60;
  const before = list.childElementCount;
  draw();
  if (atEnd || list.childElementCount < before) list.scrollTop = list.scrollHeight;
}

// A row of buttons of which one is chosen.
export function chips(parent, items, chosen, choose) {
  keep(
    parent,
    items.map((item) => ({ ...item, chosen: item.id === chosen })),
    (item) => item.id,
    (item) => {
      const button = el("button", "chip");
      button.type = "button";
      button.append(el("span", "chip-text"), el("span", "chip-count"));
      button.addEventListener("click", () => choose(item.id));
      return button;
    },
    (button, item) => {
      button.setAttribute("aria-pressed", item.chosen);
      button.firstChild.textContent = item.text;
      button.lastChild.textContent = item.count || "";
    },
  );
}

export function options(select, items, chosen) {
  keep(
    select,
    items,
    (item) => item.value,
    (item) => {
      const option = el("option");
      option.value = item.value;
      return option;
    },
    (option, item) => {
      option.textContent = item.text;
    },
  );
  if (chosen !== undefined && select.value !== chosen) select.value = chosen;
}
