// Texts come from i18n/*.json by way of amoCRM; numbers and ages are put into them here.

function wordsOf(widget, part) {
  return widget.i18n(part) || {};
}

// Puts values into {braces}; what has no value stays as it is.
function filled(text, values) {
  return String(text || '').replace(/\{(\w+)\}/g, (all, key) => (key in values ? values[key] : all));
}

// "3 h ago": the largest whole unit.
function ageText(seconds, words) {
  const units = [['days', 86400], ['hours', 3600], ['minutes', 60]];
  for (const [unit, size] of units) {
    if (seconds >= size) return filled(words[unit], { n: Math.floor(seconds / size) });
  }
  return words.now || '';
}
