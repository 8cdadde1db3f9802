// Elements are made here, and text only ever becomes text: nothing a person wrote is read as HTML.

function el(tag, options, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(options || {})) {
    if (name === 'class') node.className = 'relay-wa-' + value;
    else if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else if (name in node && name !== 'list') node[name] = value;
    else node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

function labelled(text, control, hint) {
  return el('label', { class: 'field' }, el('span', {}, text), control, hint ? el('small', {}, hint) : null);
}

function choice(text, checked, changed) {
  const box = el('input', { type: 'checkbox', checked: checked, onchange: () => changed(box.checked) });
  return el('label', { class: 'choice' }, box, el('span', {}, text));
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
