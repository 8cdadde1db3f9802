// Cards of contacts and leads, in the structure that was seen in the product.

function node(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}

// The raw value is in a hidden input, the visible one is formatted.
function formatted(value) {
  const digits = value.replace(/\D/g, '');
  if (digits.length !== 11) return value;
  const [, a, b, c, d, e] = digits.match(/^(\d)(\d{3})(\d{3})(\d{2})(\d{2})$/);
  return (value.startsWith('+') ? '+' : '') + `${a} (${b}) ${c}-${d}-${e}`;
}

function phoneField(value, changed) {
  const field = node('div', 'linked-form__field linked-form__field-pei');
  field.append(node('div', 'linked-form__field__label', 'Раб. тел.'));
  const place = node('div', 'linked-form__field__value');
  const actions = node('div', 'js-linked-with-actions');
  actions.dataset.peiCode = 'phone';
  const control = node('div', 'js-control-phone control-phone');
  const shown = node('input', 'control-phone__formatted js-linked-pei');
  shown.type = 'text';
  shown.value = formatted(value);
  shown.placeholder = '...';
  shown.setAttribute('aria-label', 'Телефон');
  const raw = node('input', 'control--suggest--input-inline');
  raw.type = 'hidden';
  raw.name = 'CFV[271316][' + Math.random().toString(36).slice(2, 10) + '][VALUE]';
  raw.dataset.type = 'phone';
  raw.value = value;
  shown.addEventListener('input', () => {
    raw.value = shown.value;
  });
  shown.addEventListener('change', () => changed(raw.value));
  control.append(shown, raw);
  const holder = node('div', 'js-tip-holder');
  const tips = node('div', 'tips card-cf-actions-tip');
  const items = node('div', 'js-tip-items');
  for (const type of ['phone', 'copy', 'edit']) {
    const item = node('div', 'tips-item js-cf-actions-item', type);
    item.dataset.type = type;
    items.append(item);
  }
  tips.append(items);
  holder.append(tips);
  actions.append(control, holder);
  place.append(actions);
  field.append(place);
  return field;
}

const FOLDED_AFTER = new URLSearchParams(location.search).has('unfolded') ? Infinity : 3;

function contactForm(contact, save) {
  const form = node('div', 'linked-form__multiple-container');
  form.append(node('h2', 'linked-form__title', contact.name));
  const fields = contact.phones.map((value, at) =>
    phoneField(value, (changed) => {
      contact.phones[at] = changed;
      save(contact);
    }));
  form.append(...fields.slice(0, FOLDED_AFTER));
  const folded = fields.slice(FOLDED_AFTER);
  if (folded.length) {
    const more = node('button', 'js-linked-show-all-fields', 'ещё ' + folded.length);
    more.type = 'button';
    more.addEventListener('click', () => more.replaceWith(...folded));
    form.append(more);
  }
  const add = node('button', 'js-linked-add-field', 'добавить телефон');
  add.type = 'button';
  add.addEventListener('click', () => {
    const at = contact.phones.length;
    add.before(phoneField('', (value) => {
      contact.phones[at] = value;
      save(contact);
    }));
  });
  form.append(add);
  return form;
}

// The same numbers in a structure nobody has seen yet, as after an update of the product.
function strangeForm(contact) {
  const form = node('section', 'next-gen-card');
  form.append(node('h2', '', contact.name));
  for (const phone of contact.phones) form.append(node('p', 'next-gen-phone', formatted(phone)));
  return form;
}
