// Switches, default channel, titles: one control a setting, only those that were given.

const SWITCHES = ['phone_check', 'import_sent_from_phone', 'phone_8_to_7', 'keep_deleted', 'error_replies'];

function switchesSection({ base, draft, words }) {
  const has = (key) => key in base.settings;
  const put = (key) => (value) => draft.put(base, 'settings', key, value);
  const rows = SWITCHES.filter(has).map((key) => choice(words[key], draft.setting(base, key), put(key)));
  if (has('error_label')) {
    const input = el('input', {
      type: 'text', value: draft.setting(base, 'error_label'), maxLength: 200,
      oninput: () => put('error_label')(input.value),
    });
    rows.push(labelled(words.error_label, input));
  }
  if (has('default_channel')) rows.push(defaultChannel(base, draft, words, put('default_channel')));
  return rows.length ? section(words.messages, '', ...rows) : null;
}

function defaultChannel(base, draft, words, put) {
  const now = draft.setting(base, 'default_channel');
  const options = [new Option(words.no_channel, '', !now, !now)].concat(
    base.channels.map(({ id, title }) => new Option(title, id, id === now, id === now)),
  );
  const select = el('select', { onchange: () => put(select.value || null) }, ...options);
  return labelled(words.default_channel, select, words.default_channel_hint);
}

function titlesSection({ base, draft, words }) {
  if (!('title_in_messages' in base.settings)) return null;
  const rows = base.channels.map(({ id, title }) =>
    choice(title, draft.setting(base, 'title_in_messages').includes(id), (on) => {
      const rest = draft.setting(base, 'title_in_messages').filter((each) => each !== id);
      draft.put(base, 'settings', 'title_in_messages', on ? [...rest, id] : rest);
    }),
  );
  return section(words.title_in_messages, words.title_in_messages_hint, ...rows);
}
