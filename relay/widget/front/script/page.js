// The page of settings inside amoCRM: what the relay gave this user to see, as forms.

function SettingsPage(backend, words, place, styled) {
  let base = null;
  const bar = el('div', { class: 'bar', hidden: true });
  const body = el('div', { class: 'sections' });
  const status = el('p', { class: 'status', role: 'status' });
  const draft = new Draft(() => drawBar());
  place.replaceChildren(el('div', { class: 'page' }, status, body, bar));

  this.open = load;

  async function load() {
    status.textContent = words.loading;
    try {
      const answer = await backend.call('GET', '/widget/settings');
      await styled;
      take(answer);
    } catch (error) {
      status.textContent = complaint(error);
      body.replaceChildren(el('button', { type: 'button', onclick: load }, words.again));
    }
  }

  function take(answer) {
    base = answer;
    draft.reset();
    draw();
  }

  function complaint(error) {
    return error.problem.detail || error.problem.title || words.away;
  }

  function draw() {
    const context = { base: base, draft: draft, words: words, backend: backend, complaint: complaint };
    const drawn = [channelsSection, switchesSection, titlesSection, blacklistSection, usersSection]
      .map((section) => section(context))
      .filter(Boolean);
    body.replaceChildren(...drawn);
    status.textContent = drawn.length ? base.trouble || '' : words.nothing;
  }

  function drawBar() {
    bar.hidden = !draft.count();
    bar.replaceChildren(
      el('span', {}, filled(words.unsaved, { n: draft.count() })),
      el('button', { type: 'button', class: 'main', onclick: save }, words.save),
      el('button', { type: 'button', onclick: () => take(base) }, words.discard),
    );
  }

  async function save() {
    for (const button of bar.querySelectorAll('button')) button.disabled = true;
    try {
      take(await backend.call('PATCH', '/widget/settings', draft.body(base.version)));
      status.textContent = words.saved;
    } catch (error) {
      drawBar();
      status.textContent = complaint(error);
      const problem = error.problem;
      if (problem.code === 'stale' && problem.current) showStale(problem.current);
      else if (problem.errors) {
        status.append(el('ul', {}, ...problem.errors.map((each) => el('li', {}, where(each.path) + ': ' + each.message))));
      }
    }
    status.scrollIntoView({ block: 'nearest' });
  }

  // "settings.blacklist.2" as the page has it: what it is called here, and what was put there.
  function where(path) {
    const [part, key, item] = path.split('.');
    const put = part === 'settings' && key === 'blacklist' ? draft.add[item] : words[item] || item;
    return [nameIn(base, words, key), put].filter(Boolean).join(' · ') || path;
  }

  // Somebody else was quicker: what he changed is shown, and nothing is lost on either side.
  function showStale(current) {
    const lines = differences(base, current, words).map((line) => el('li', {}, line));
    const onto = () => {
      base = current;
      save();
    };
    status.append(
      el('ul', {}, ...lines),
      el('button', { type: 'button', class: 'main', onclick: onto }, words.onto),
      el('button', { type: 'button', onclick: () => take(current) }, words.theirs),
    );
  }
}

// A setting, or a user.
function nameIn(base, words, key) {
  const user = (base.account_users || []).find(({ id }) => String(id) === key);
  return user ? user.name : words[key] || key;
}

function differences(before, after, words) {
  const lines = [];
  for (const part of ['settings', 'users']) {
    const one = before[part] || {};
    const other = after[part] || {};
    for (const key of new Set([...Object.keys(one), ...Object.keys(other)])) {
      if (same(one[key], other[key])) continue;
      lines.push(`${nameIn(after, words, key)}: ${shown(one[key])} → ${shown(other[key])}`);
    }
  }
  return lines;
}

function shown(value) {
  if (value === true) return '✓';
  if (!value) return '—';
  if (typeof value === 'string') return value;
  return 'total' in value ? String(value.total) : JSON.stringify(value);
}

function section(title, hint, ...content) {
  return el('section', { class: 'section' }, el('h2', {}, title), hint ? el('p', { class: 'hint' }, hint) : null, ...content);
}
