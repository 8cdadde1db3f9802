// The blacklist may be long: the relay searches it, the page shows a part.

const SHOWN_AT_ONCE = 100;
const TYPED_MS = 100;

// As the file has it; what is no number stays as it is, and the relay says so.
function listed(entry) {
  const digits = digitsOf(entry);
  if (!digits) return entry;
  if (entry.endsWith('*')) return '+' + digits + '*';
  return '+' + (/^8\d{10}$/.test(digits) ? '7' + digits.slice(1) : digits);
}

function blacklistSection({ base, draft, words, backend, complaint }) {
  if (!('blacklist' in base.settings)) return null;
  const found = el('p', { class: 'hint', role: 'status' });
  const list = el('ul', { class: 'list' });
  const pasted = el('textarea', { rows: 3, placeholder: '+79001234567\n+7900555*' });
  const search = el('input', { type: 'search', oninput: later });
  let timer = 0;
  let asked = 0;

  function later() {
    clearTimeout(timer);
    timer = setTimeout(look, TYPED_MS);
  }

  async function look() {
    const turn = ++asked;
    const query = '?search=' + encodeURIComponent(search.value) + '&offset=0&limit=' + SHOWN_AT_ONCE;
    try {
      const answer = await backend.call('GET', '/widget/blacklist' + query);
      if (turn !== asked) return; // somebody types faster than the relay answers
      found.textContent = filled(words.found, { found: answer.found, total: answer.total });
      list.replaceChildren(...draft.add.map((entry) => row(entry, true)), ...answer.entries.map((entry) => row(entry, false)));
    } catch (error) {
      found.textContent = complaint(error);
    }
  }

  function row(entry, isNew) {
    const item = el('li', {}, el('span', {}, entry));
    const mark = () => {
      item.className = isNew ? 'relay-wa-new' : draft.remove.includes(entry) ? 'relay-wa-gone' : '';
      button.textContent = draft.remove.includes(entry) ? words.keep : words.remove;
    };
    const button = el('button', {
      type: 'button',
      'aria-label': words.remove + ' ' + entry,
      onclick: () => {
        if (isNew) item.remove();
        draft.list(isNew || !draft.remove.includes(entry) ? 'remove' : 'add', [entry]);
        mark();
      },
    });
    item.append(button);
    mark();
    return item;
  }

  function add() {
    const entries = pasted.value.split(/[\n,;]+/).map((each) => each.trim()).filter(Boolean).map(listed);
    draft.list('add', entries);
    pasted.value = '';
    list.prepend(...entries.map((entry) => row(entry, true)));
  }

  async function save() {
    try {
      const all = await backend.call('GET', '/widget/blacklist?limit=all');
      const address = URL.createObjectURL(new Blob([all.entries.join('\n') + '\n'], { type: 'text/plain' }));
      el('a', { href: address, download: 'blacklist.txt' }).click();
      setTimeout(() => URL.revokeObjectURL(address), 1000);
    } catch (error) {
      found.textContent = complaint(error);
    }
  }

  look();
  return section(
    words.blacklist, words.blacklist_hint,
    labelled(words.add_numbers, pasted, words.add_numbers_hint),
    el('button', { type: 'button', onclick: add }, words.add),
    labelled(words.search, search), found, list,
    el('button', { type: 'button', onclick: save }, words.export),
  );
}
