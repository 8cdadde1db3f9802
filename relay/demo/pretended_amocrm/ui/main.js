// Navigation without reloading, as amoCRM's: the address behind the hash, and "page:changed".

const asked = new URLSearchParams(location.search);
const world = {
  state: null, user: null, card: null, area: '', widget: null, strange: asked.has('strange'),
  contactsOfCard: () => {
    if (!world.card) return [];
    const all = world.state.contacts;
    return world.card.entity === 'leads' ? all : all.filter((c) => c.id === world.card.id);
  },
};

window.APP = {
  lang_id: asked.get('lang') || 'ru',
  data: { current_card: false },
  isCard: () => Boolean(world.card),
  getBaseEntity: () => (world.card ? world.card.entity : ''),
  getWidgetsArea: () => world.area,
  constant: (name) =>
    ({ account: world.state.account, user: world.user, managers: world.state.users })[name],
  notifications: { show_message() {}, show_message_error() {} },
};

async function post(path, value) {
  await fetch(path, { method: 'POST', body: JSON.stringify(value) });
}

function showCard(entity, id) {
  world.card = { entity: entity, id: id };
  world.area = entity + '_card';
  APP.data.current_card = { id: id };
  const place = document.getElementById('work_area');
  const form = node('form', 'card-fields');
  form.addEventListener('submit', (event) => event.preventDefault());
  for (const contact of world.contactsOfCard()) {
    const save = (changed) => post('phones', { contact: changed.id, phones: changed.phones });
    form.append(world.strange ? strangeForm(contact) : contactForm(contact, save));
  }
  place.replaceChildren(form);
}

function showSettings() {
  world.area = 'advanced-settings:relay';
  const place = document.getElementById('work_area');
  const page = node('div', 'settings');
  page.append(node('h1', '', world.widget ? world.widget.i18n('advanced.title') : 'Виджет не загружен'));
  const holder = node('div');
  holder.id = 'list_page_holder';
  page.append(holder);
  place.replaceChildren(page);
  if (world.widget) world.widget.callbacks.advancedSettings();
}

function go() {
  world.card = null;
  world.area = '';
  APP.data.current_card = false;
  document.getElementById('widgets_block').replaceChildren();
  const [, place, id] = location.hash.split('/');
  if (place === 'settings') showSettings();
  else if (place) showCard(place, Number(id));
  else document.getElementById('work_area').replaceChildren();
  $(document).trigger('page:changed');
  document.body.dataset.at = location.hash;
}

function drawNavigation() {
  const list = document.getElementById('contacts');
  list.replaceChildren(...world.state.contacts.map((contact) => {
    const item = node('li');
    const link = node('a', '', contact.name);
    link.href = '#/contacts/' + contact.id;
    item.append(link);
    return item;
  }));
  const users = document.getElementById('user');
  users.replaceChildren(...world.state.users.map((user) => new Option(user.name, user.id)));
  users.value = world.user.id;
  users.addEventListener('change', () => {
    world.user = world.state.users.find((user) => user.id === Number(users.value));
    go();
  });
}

async function begin() {
  world.state = await (await fetch('state')).json();
  const wanted = Number(asked.get('user'));
  world.user = world.state.users.find((user) => user.id === wanted) || world.state.users[0];
  drawNavigation();
  window.addEventListener('hashchange', go);
  if (world.state.widget.installed) {
    world.widget = await loadWidget(world);
    const { render, init, bind_actions } = world.widget.callbacks;
    go();
    render();
    init();
    bind_actions();
  } else {
    go();
  }
  document.body.dataset.ready = 'true';
}

begin();
