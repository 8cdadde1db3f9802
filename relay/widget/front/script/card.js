// The phone fields of a card, as far as they can be recognised, and a button beside each.
// amoCRM documents none of these selectors: each stands in one place, and where they find nothing
// the numbers are shown in the right column instead.

const FIELD = '[data-pei-code="phone"]';
const RAW_VALUE = 'input[data-type="phone"]';
const SHOWN_VALUE = 'input.control-phone__formatted, input[type="text"]';
const HOST = '.linked-form__field__value';
const OURS = '.relay-wa';
const SETTLED_MS = 150;
const GIVEN_UP_MS = 1500;
const FEWEST_DIGITS = 6; // shorter is an empty or a half-typed field

function valueOf(field) {
  const raw = field.querySelector(RAW_VALUE);
  const shown = field.querySelector(SHOWN_VALUE);
  const values = [raw && raw.value, shown && shown.value];
  return values.find((value) => digitsOf(value).length >= FEWEST_DIGITS) || '';
}

function Card(widget, phones, words) {
  const buttons = new Map(); // field → CheckButton
  let timer = 0;
  let fallback = 0;
  let observer = null;
  let side = null;

  this.start = function () {
    this.stop();
    observer = new MutationObserver(later);
    observer.observe(document.body, { childList: true, subtree: true });
    document.addEventListener('input', later, true);
    document.addEventListener('change', later, true);
    phones.refresh();
    scan();
    fallback = setTimeout(askCard, GIVEN_UP_MS);
  };

  this.stop = function () {
    clearTimeout(timer);
    clearTimeout(fallback);
    timer = 0;
    if (observer) observer.disconnect();
    observer = null;
    document.removeEventListener('input', later, true);
    document.removeEventListener('change', later, true);
    clear();
  };

  // Once things are quiet: amoCRM draws a card in many steps.
  function later() {
    if (!timer) timer = setTimeout(scan, SETTLED_MS);
  }

  async function scan() {
    timer = 0;
    const numbers = fields().map((field) => (attach(field), valueOf(field)));
    forget();
    quietly(show);
    if (!numbers.length) return;
    await phones.learn(numbers);
    if (phones.isOff()) clear();
    else quietly(show);
  }

  function fields() {
    if (phones.isOff()) return [];
    return [...document.querySelectorAll(FIELD)].filter((field) => valueOf(field));
  }

  function attach(field) {
    if (buttons.has(field)) return;
    const host = field.closest(HOST) || field;
    const button = new CheckButton(phones, words, () => valueOf(field));
    host.classList.add('relay-wa-host');
    quietly(() => host.append(button.node));
    buttons.set(field, button);
  }

  // Fields that are gone or empty lose their buttons; a button that was drawn away comes back.
  function forget() {
    for (const [field, button] of buttons) {
      const there = field.isConnected && valueOf(field);
      if (there && button.node.isConnected) continue;
      button.node.remove();
      buttons.delete(field);
      if (there) attach(field);
    }
  }

  function show() {
    for (const button of buttons.values()) button.show();
    if (side) side.show();
  }

  // What we change ourselves is no reason to look again.
  function quietly(change) {
    if (observer && observer.takeRecords().length) later();
    change();
    if (observer) observer.takeRecords();
  }

  function clear() {
    for (const [field, button] of buttons) {
      button.node.remove();
      (field.closest(HOST) || field).classList.remove('relay-wa-host');
    }
    buttons.clear();
    if (side) side.remove();
    side = null;
  }

  // No field was recognised: perhaps amoCRM itself tells the numbers of this card.
  async function askCard() {
    if (buttons.size || phones.isOff() || !widget.get_current_card_contacts_data) return;
    let contacts = [];
    try {
      contacts = (await widget.get_current_card_contacts_data()) || [];
    } catch (error) {
      return; // not a card
    }
    const rows = contacts.flatMap((contact) =>
      (contact.phones || []).map((number) => ({ name: contact.name, number: number })),
    );
    if (!rows.length || buttons.size || !observer) return;
    side = new SideList(widget, phones, words, rows);
    await phones.learn(rows.map((row) => row.number));
    if (phones.isOff()) clear();
    else quietly(show);
  }
}
