// The button beside a number: black, green or red, a ring that turns while it is being checked.

const SVG = 'http://www.w3.org/2000/svg';
const BUBBLE =
  'M8 1a7 7 0 0 0-6 10.6L1.2 15l3.5-.8A7 7 0 1 0 8 1z';
const MARKS = {
  unknown: 'M6.2 6.2a1.8 1.8 0 1 1 2.5 1.7c-.5.2-.7.5-.7 1V9.3M8 11.2v.1',
  registered: 'M5 8.3l2 2 4-4.4',
  not_registered: 'M5.8 5.8l4.4 4.4M10.2 5.8l-4.4 4.4',
};

function shape(path, attributes) {
  const node = document.createElementNS(SVG, 'path');
  node.setAttribute('d', path);
  for (const name in attributes) node.setAttribute(name, attributes[name]);
  return node;
}

function glyph(state) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 16 16');
  svg.setAttribute('aria-hidden', 'true');
  svg.append(
    shape(BUBBLE, { fill: 'currentColor' }),
    shape(MARKS[state], {
      fill: 'none', stroke: '#fff', 'stroke-width': '1.5', 'stroke-linecap': 'round',
    }),
  );
  return svg;
}

// `number` is a function: the field behind the button may change.
function CheckButton(phones, words, number) {
  const node = document.createElement('button');
  node.type = 'button';
  node.className = 'relay-wa';
  this.node = node;
  let busy = false;
  let failed = false;
  let shown = '';

  this.show = function () {
    const found = phones.known(number());
    const state = found && MARKS[found.state] ? found.state : 'unknown';
    const said = describe(state, found);
    if (shown === state + said + busy) return;
    shown = state + said + busy;
    node.dataset.state = state;
    node.setAttribute('aria-busy', String(busy));
    node.setAttribute('aria-label', number() + ': ' + said);
    node.title = said;
    node.replaceChildren(glyph(state));
  };

  function describe(state, found) {
    if (busy) return words.checking;
    const parts = [words[state]];
    if (state !== 'unknown' && found.age !== null) {
      parts.push(filled(words.checked, { age: ageText(found.age, words.age || {}) }));
    }
    parts.push(failed ? words.failed : words.press);
    return parts.join('. ');
  }

  node.addEventListener('click', async (event) => {
    event.preventDefault();
    event.stopPropagation(); // the phone's own menu stays shut
    if (busy) return;
    busy = true;
    failed = false;
    this.show();
    failed = !(await phones.check(number()));
    busy = false;
    this.show();
  });
  this.show();
}
