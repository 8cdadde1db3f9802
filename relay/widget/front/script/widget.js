// What amoCRM calls. Whatever goes wrong in here must not reach the page.

const PAGE_PLACES = '#list_page_holder, #page_holder'; // as documented, and as one widget was seen to do

return function () {
  const self = this;
  const backend = new Backend(self, BACKEND);
  let card = null;

  function guarded(work) {
    return function () {
      try {
        return work.apply(self, arguments) !== false;
      } catch (error) {
        if (window.console) console.warn('WhatsApp relay widget:', error);
        return true;
      }
    };
  }

  function openCard() {
    if (card) card.stop();
    card = null;
    if (!APP.isCard || !APP.isCard()) return;
    card = new Card(self, new Phones(backend), wordsOf(self, 'button'));
    card.start();
  }

  this.callbacks = {
    render: guarded(function () {
      addStyle();
      openCard();
    }),
    init: guarded(function () {}),
    bind_actions: guarded(function () {
      $(document).off('page:changed.relaywa').on('page:changed.relaywa', guarded(openCard));
    }),
    settings: guarded(function () {}),
    onSave: guarded(function () {}),
    onInstall: guarded(function () {}),
    onAddAsSource: guarded(function () {}), // the relay makes its sources itself
    advancedSettings: guarded(function () {
      const place = document.querySelector(PAGE_PLACES);
      if (place) new SettingsPage(backend, wordsOf(self, 'page'), place, pageStyle(self)).open();
    }),
    destroy: guarded(function () {
      $(document).off('.relaywa');
      if (card) card.stop();
      card = null;
    }),
  };
  return this;
};
