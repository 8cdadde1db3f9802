// The module loader and what every widget inherits.

const MODULES = { jquery: () => window.jQuery };

function define(names, factory) {
  define.last = { names: names, factory: factory };
}
define.amd = {};

async function loadWidget(world) {
  const base = 'widget/';
  const [manifest, words] = await Promise.all([
    fetch(base + 'manifest.json').then((answer) => answer.json()),
    fetch(base + 'i18n/' + APP.lang_id + '.json').then((answer) => answer.json()),
  ]);
  await new Promise((resolve, reject) => {
    const script = document.createElement('script');
    script.src = base + 'script.js?' + manifest.widget.version;
    script.onload = resolve;
    script.onerror = reject;
    document.head.append(script);
  });
  const Made = define.last.factory(...define.last.names.map((name) => MODULES[name]()));
  Made.prototype = Inherited(world, manifest, words, base);
  return new Made();
}

function Inherited(world, manifest, words, base) {
  return {
    params: { path: base },
    i18n: (path) => path.split('.').reduce((place, key) => place && place[key], words),
    get_settings: () => ({ ...world.state.widget.settings, path: base }),
    set_settings: (settings) => Object.assign(world.state.widget.settings, settings),
    get_version: () => manifest.widget.version,
    get_install_status: () => 'installed',
    system: () => ({ area: APP.getWidgetsArea(), amouser_id: world.user.id }),
    get_current_card_contacts_data: () =>
      world.card
        ? Promise.resolve(world.contactsOfCard().map((contact) => ({
            id: contact.id, name: contact.name, phones: contact.phones.filter(Boolean), emails: [],
          })))
        : Promise.reject(new Error('not a card')),
    render_template: (template) => {
      const box = document.createElement('div');
      box.className = 'card-widgets__widget ' + (template.caption.class_name || '');
      box.innerHTML = template.body + template.render;
      document.getElementById('widgets_block').append(box);
    },
    // One token for each call: they are good once.
    $authorizedAjax: (request) =>
      fetch('token?user=' + world.user.id, { method: 'POST' })
        .then((answer) => answer.json())
        .then(({ token }) =>
          $.ajax({ ...request, headers: { ...request.headers, 'X-Auth-Token': token } })),
  };
}
