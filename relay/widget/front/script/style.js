// The buttons' style comes with the script, for they must not move a card; the page's is a file.

const STYLE = [
  '.relay-wa-host{position:relative}',
  '.relay-wa{width:18px;height:18px;padding:0;border:0;border-radius:50%;background:none;',
  'color:#2b2f36;cursor:pointer;line-height:0;flex:none}',
  '.relay-wa-host>.relay-wa{position:absolute;right:4px;top:50%;margin-top:-9px;z-index:2}',
  '.relay-wa svg{width:18px;height:18px}',
  '.relay-wa[data-state=registered]{color:#1f9d55}',
  '.relay-wa[data-state=not_registered]{color:#d64545}',
  '.relay-wa:focus-visible{outline:2px solid #4c8bf7;outline-offset:1px}',
  '.relay-wa[aria-busy=true]::after{content:"";position:absolute;inset:-3px;border-radius:50%;',
  'border:2px solid #b8c2cc;border-top-color:#4c8bf7;animation:relay-wa-turn .8s linear infinite}',
  '@keyframes relay-wa-turn{to{transform:rotate(360deg)}}',
  '@media (prefers-reduced-motion:reduce){.relay-wa[aria-busy=true]::after{animation:none}}',
  '.relay-wa-side{list-style:none;margin:0;padding:8px 12px}',
  '.relay-wa-side li{display:flex;gap:8px;align-items:center;padding:4px 0}',
  '.relay-wa-side .relay-wa{position:relative}',
].join('');

function addStyle() {
  if (document.getElementById('relay-wa-style')) return;
  document.head.append(el('style', { id: 'relay-wa-style', textContent: STYLE }));
}

// Beside the script in the widget's archive. Resolves when it is there, or cannot be had.
function pageStyle(widget) {
  const path = (widget.params || {}).path || widget.get_settings().path || '';
  const href = path.replace(/\/*$/, '/page.css?') + widget.get_version();
  return new Promise((resolve) => {
    if (document.querySelector('.relay-wa-sheet')) resolve();
    else document.head.append(el('link', { class: 'sheet', rel: 'stylesheet', href: href, onload: resolve, onerror: resolve }));
  });
}
