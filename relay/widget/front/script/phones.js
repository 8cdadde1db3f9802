// What is known of phone numbers. All that a card shows is asked for at once.

const KEPT_MS = 60000;
const MOST_AT_ONCE = 100;

function digitsOf(number) {
  return String(number || '').replace(/\D/g, '');
}

function Phones(backend) {
  const known = new Map(); // digits → {state, age_seconds, at}
  let off = false;

  // Whether the account has switched the check off.
  this.isOff = () => off;

  // A new card: the switch may have been turned meanwhile.
  this.refresh = () => {
    off = false;
  };

  // What is known now, or nothing.
  this.known = function (number) {
    const found = known.get(digitsOf(number));
    if (!found) return null;
    const passed = Math.floor((Date.now() - found.at) / 1000);
    return { state: found.state, age: found.age === null ? null : found.age + passed };
  };

  // Learns the states of numbers that are not known freshly; never rejects.
  this.learn = async function (numbers) {
    const now = Date.now();
    const wanted = new Map();
    for (const number of numbers) {
      const found = known.get(digitsOf(number));
      if (!found || now - found.at > KEPT_MS) wanted.set(digitsOf(number), number);
    }
    const all = [...wanted.values()];
    for (let at = 0; at < all.length && !off; at += MOST_AT_ONCE) {
      const query = all.slice(at, at + MOST_AT_ONCE);
      const path = '/widget/phones?' + query.map((n) => 'phone=' + encodeURIComponent(n)).join('&');
      try {
        keep(await backend.call('GET', path));
      } catch (error) {
        if (error.status === 404) off = true;
        return; // the relay is away: the card must not suffer
      }
    }
  };

  // Asks WhatsApp now; resolves with whether it could be found out.
  this.check = async function (number) {
    try {
      const answer = await backend.call('POST', '/widget/phones', { phones: [number] });
      keep(answer);
      return !answer.trouble;
    } catch (error) {
      if (error.status === 404) off = true;
      return false;
    }
  };

  function keep(answer) {
    for (const each of (answer && answer.phones) || []) {
      const age = typeof each.age_seconds === 'number' ? each.age_seconds : null;
      known.set(digitsOf(each.asked), { state: each.state, age: age, at: Date.now() });
    }
  }
}
