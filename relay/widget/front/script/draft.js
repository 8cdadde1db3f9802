// What the user has changed and not saved yet, over what the relay has told.

function same(one, other) {
  return JSON.stringify(one) === JSON.stringify(other);
}

function Draft(changed) {
  this.reset = function () {
    this.settings = {};
    this.users = {};
    this.add = [];
    this.remove = [];
    changed();
  };

  this.setting = (base, key) => (key in this.settings ? this.settings[key] : base.settings[key]);
  this.user = (base, id) => (id in this.users ? this.users[id] : base.users[id]);

  this.put = function (base, part, key, value) {
    if (same(value, base[part][key])) delete this[part][key];
    else this[part][key] = value;
    changed();
  };

  this.list = function (kind, entries) {
    const other = kind === 'add' ? 'remove' : 'add';
    for (const entry of entries) {
      if (this[other].includes(entry)) this[other] = this[other].filter((each) => each !== entry);
      else if (!this[kind].includes(entry)) this[kind].push(entry);
    }
    changed();
  };

  this.count = () =>
    Object.keys(this.settings).length + Object.keys(this.users).length + this.add.length + this.remove.length;

  this.body = function (version) {
    const settings = { ...this.settings };
    if (this.add.length + this.remove.length) settings.blacklist = { add: this.add, remove: this.remove };
    const body = { version: version, settings: settings };
    if (Object.keys(this.users).length) body.users = this.users;
    return body;
  };
}
