// Links a number to a channel: by a QR code, or by letters that are typed into the phone.

const PAIRINGS = '/widget/pairings';
const POLL_MS = 2000;

function pairDialog(channel, { words, backend, complaint }, linked) {
  const said = el('p', { role: 'status' });
  const code = el('div', { class: 'code' });
  const left = el('p', { class: 'hint' });
  const phone = el('input', { type: 'tel', autocomplete: 'off', placeholder: '+79001234567' });
  const form = el(
    'form', { onsubmit: askForLetters },
    labelled(words.pair_phone, phone, words.pair_phone_hint),
    el('button', { class: 'main' }, words.get_code),
  );
  const other = el('button', { type: 'button', onclick: turnOver });
  const dialog = el(
    'dialog', { class: 'dialog', 'aria-label': words.pair, onclose: () => dialog.remove() },
    el('h2', {}, channel.title), said, code, form, left,
    el('div', { class: 'acts' }, other, el('button', { type: 'button', onclick: () => dialog.close() }, words.close)),
  );
  let turn = 0;
  let letters = false;

  function show(text, drawn, seconds) {
    said.textContent = text;
    code.replaceChildren(...(drawn ? [drawn] : []));
    left.textContent = seconds > 0 ? filled(words.expires, { n: seconds }) : '';
    other.textContent = letters ? words.by_qr : words.by_code;
    form.hidden = !letters || Boolean(drawn);
  }

  function turnOver() {
    letters = !letters;
    if (!letters) return begin(null);
    turn++;
    show('');
    phone.focus();
  }

  function askForLetters(event) {
    event.preventDefault();
    const digits = digitsOf(phone.value).length;
    if (digits > 9 && digits < 16) begin(phone.value);
    else show(words.no_phone);
  }

  // Until it has ended, or is not looked at any more: then nobody scans, and the relay is told.
  async function begin(number) {
    const mine = ++turn;
    const seen = () => mine === turn && dialog.isConnected;
    const goes = (now) => now.state === 'starting' || now.state === 'waiting';
    show(words.pairing);
    try {
      let now = await backend.call('POST', PAIRINGS, { channel: channel.id, phone: number });
      while (seen() && goes(now)) {
        if (now.qr) show(words.scan, qrCode(now.qr, words.qr), now.expires_seconds);
        else if (now.code) show(words.type, el('output', {}, now.code), now.expires_seconds);
        else if (now.state === 'waiting') show(words.taken);
        await pause(POLL_MS);
        if (seen()) now = await backend.call('GET', PAIRINGS + '/' + now.id);
      }
      if (seen()) end(now);
      else if (goes(now)) await backend.call('DELETE', PAIRINGS + '/' + now.id);
    } catch (error) {
      if (seen()) failed(complaint(error));
    }
  }

  function end(now) {
    if (now.state !== 'linked') return failed(now.detail || words.not_linked);
    letters = false;
    other.remove();
    show(filled(words.linked, { own: [now.own, now.name].filter(Boolean).join(', ') }));
    linked();
  }

  function failed(text) {
    const again = el('button', { type: 'button', class: 'main', onclick: () => begin(null) }, words.again);
    show(text, letters ? null : again);
  }

  begin(null);
  return dialog;
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
