// The numbers and how they stand; an administrator links one here, by a code that is shown once.

const POLL_MS = 2000;

function channelsSection({ base, words, backend, complaint }) {
  if (!base.administrator) return null;
  const rows = base.channels.map((channel) => {
    const about = [channel.own, words.states[channel.state] || channel.state, channel.reason].filter(Boolean);
    const row = el('div', { class: 'channel' }, el('b', {}, channel.title), el('span', {}, about.join(' · ')));
    row.dataset.state = channel.state;
    if (channel.can_pair) {
      const place = el('div', {});
      const button = el('button', { type: 'button', onclick: () => pair(channel, place, words, backend, complaint) }, words.pair);
      row.append(button, place);
    }
    return row;
  });
  return rows.length ? section(words.channels, '', ...rows) : null;
}

async function pair(channel, place, words, backend, complaint) {
  const said = el('p', { role: 'status' }, words.pairing);
  const code = el('div', { class: 'code' });
  place.replaceChildren(said, code);
  try {
    let now = await backend.call('POST', '/widget/pairings', { channel: channel.id, phone: null });
    while (now.state === 'starting' || now.state === 'waiting') {
      if (!place.isConnected) { // the page was left: nobody scans any more
        await backend.call('DELETE', '/widget/pairings/' + now.id);
        return;
      }
      if (now.qr) code.replaceChildren(qrCode(now.qr, words.qr));
      said.textContent = words.scan;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      now = await backend.call('GET', '/widget/pairings/' + now.id);
    }
    code.remove();
    said.textContent = now.detail || words[now.state === 'linked' ? 'linked' : 'not_linked'];
  } catch (error) {
    code.remove();
    said.textContent = complaint(error);
  }
}

// Each module a square of one unit, with the quiet zone of four that scanners want.
function qrCode(rows, label) {
  const side = rows.length + 8;
  let path = '';
  rows.forEach((row, y) => [...row].forEach((bit, x) => {
    if (bit === '1') path += `M${x + 4} ${y + 4}h1v1h-1z`;
  }));
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', `0 0 ${side} ${side}`);
  svg.setAttribute('role', 'img');
  svg.setAttribute('aria-label', label);
  svg.append(shape(`M0 0h${side}v${side}H0z`, { fill: '#fff' }), shape(path, { fill: '#000' }));
  return svg;
}
