// Who may send through what, under which signature, and see which settings. A row opens on demand.

const EVERYONE_ELSE = 'everyone_else';

function usersSection({ base, draft, words }) {
  if (!base.users) return null;
  const names = new Map(base.account_users.map((user) => [String(user.id), user.name]));
  const list = el('div', {});
  const search = el('input', { type: 'search', oninput: draw });
  const fresh = el('select', { 'aria-label': words.add_user, onchange: addUser });

  const ids = () => Object.keys({ ...base.users, ...draft.users }).filter((id) => draft.user(base, id));

  function nameOf(id) {
    if (id === EVERYONE_ELSE) return words.everyone_else;
    return names.get(id) || (draft.user(base, id) || {}).name || id;
  }

  function draw() {
    const wanted = search.value.trim().toLowerCase();
    const found = ids().filter((id) => (nameOf(id) + ' ' + id).toLowerCase().includes(wanted));
    list.replaceChildren(...found.slice(0, SHOWN_AT_ONCE).map(userRow));
    if (found.length > SHOWN_AT_ONCE) list.append(el('p', { class: 'hint' }, filled(words.more, { n: found.length - SHOWN_AT_ONCE })));
    const absent = base.account_users.filter(({ id }) => !draft.user(base, String(id)));
    const options = absent.map(({ id, name }) => new Option(name, id));
    if (!draft.user(base, EVERYONE_ELSE)) options.unshift(new Option(words.everyone_else, EVERYONE_ELSE));
    fresh.replaceChildren(new Option(words.add_user, ''), ...options);
  }

  function addUser() {
    const id = fresh.value;
    if (!id) return;
    const user = { channels: ['default'] };
    if (id !== EVERYONE_ELSE) user.name = names.get(id);
    draft.put(base, 'users', id, user);
    search.value = '';
    draw();
    const row = [...list.children].find((each) => each.dataset.id === id);
    if (row) row.open = true;
  }

  function userRow(id) {
    const summary = el('summary', {});
    const row = el('details', { class: 'user' }, summary);
    row.dataset.id = id;
    const tell = () => {
      const bound = (draft.user(base, id).channels || []).map((each) => titleOf(base, words, each));
      summary.replaceChildren(el('b', {}, nameOf(id)), ' — ', bound.join(', ') || words.cannot_send);
    };
    tell();
    row.addEventListener('toggle', () => {
      if (row.open && row.children.length === 1) row.append(userForm(base, draft, words, id, tell, draw));
    });
    return row;
  }

  draw();
  return section(words.users, words.users_hint, labelled(words.search, search), list, fresh);
}

function titleOf(base, words, id) {
  if (id === 'default') return words.default;
  const channel = base.channels.find((each) => each.id === id);
  return channel ? channel.title : id;
}

function userForm(base, draft, words, id, tell, removed) {
  const put = (key, value) => {
    draft.put(base, 'users', id, { ...draft.user(base, id), [key]: value });
    tell();
  };
  const toggled = (key, item) => (on) => {
    const rest = (draft.user(base, id)[key] || []).filter((each) => each !== item);
    put(key, on ? [...rest, item] : rest);
  };
  const picks = (key, items, text) =>
    items.map((item) => choice(text(item), (draft.user(base, id)[key] || []).includes(item), toggled(key, item)));
  const form = el('div', { class: 'form' }, el('p', { class: 'hint' }, words.channels_hint));
  form.append(...picks('channels', [...base.channels.map((each) => each.id), 'default'], (item) => titleOf(base, words, item)));
  if (id !== EVERYONE_ELSE) {
    const signature = el('textarea', {
      rows: 2, value: draft.user(base, id).signature || '', oninput: () => put('signature', signature.value || null),
    });
    form.append(labelled(words.signature, signature));
    form.append(el('p', { class: 'hint' }, words.sections), ...picks('sections', base.sections, (item) => words[item] || item));
  }
  form.append(el('button', {
    type: 'button',
    onclick: () => {
      draft.put(base, 'users', id, id in base.users ? null : undefined);
      removed();
    },
  }, words.remove));
  return form;
}
