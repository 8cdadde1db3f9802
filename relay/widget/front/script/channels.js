// The numbers and how they stand just now; an administrator links one from here.

const LIVE_MS = 5000;

function channelsSection(context) {
  const { base, words, backend, complaint } = context;
  if (!base.administrator || !base.channels.length) return null;
  const list = el('div', {});
  const away = el('p', { class: 'hint', role: 'status' });
  const node = section(words.channels, '', list, away);

  function row(channel) {
    const advice = words.advice[channel.state]; // where it says enough; else the relay's own reason
    const more = advice === undefined ? el('small', { lang: 'en' }, channel.reason) : advice && el('small', {}, advice);
    const about = [channel.own, words.states[channel.state] || channel.state].filter(Boolean).join(' · ');
    const told = el('span', {}, el('b', {}, channel.title), ' ', about, more || null);
    told.title = [channel.since && new Date(channel.since).toLocaleString(), channel.reason].filter(Boolean).join(' · ');
    const made = el('div', { class: 'channel' }, told);
    made.dataset.state = channel.state;
    if (channel.can_pair) made.append(el('button', { type: 'button', onclick: () => pair(channel) }, words.pair));
    return made;
  }

  function pair(channel) {
    const dialog = pairDialog(channel, context, look);
    node.append(dialog);
    dialog.showModal();
  }

  function draw() {
    list.replaceChildren(...base.channels.map(row));
  }

  async function look() {
    let trouble = '';
    try {
      const { channels } = await backend.call('GET', '/widget/channels');
      if (!same(channels, base.channels)) {
        base.channels = channels;
        draw();
      }
    } catch (error) {
      trouble = complaint(error);
    }
    away.textContent = trouble;
    node.classList.toggle('relay-wa-away', Boolean(trouble));
  }

  async function follow() {
    await pause(LIVE_MS);
    while (node.isConnected) {
      if (!document.hidden) await look();
      await pause(LIVE_MS);
    }
  }

  draw();
  follow();
  return node;
}
