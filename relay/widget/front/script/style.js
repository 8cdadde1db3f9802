// One style sheet, every rule of it under a class of ours.

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
  '.relay-wa-page{max-width:860px;padding:20px 24px 80px;color:#313942}',
  '.relay-wa-page h2{font-size:17px;margin:0 0 4px}',
  '.relay-wa-section{background:#fff;border:1px solid #e3e6e9;border-radius:6px;padding:18px 20px;margin:14px 0}',
  '.relay-wa-page .relay-wa-hint,.relay-wa-field small{color:#6b7480;font-size:13px;margin:2px 0 10px}',
  '.relay-wa-field,.relay-wa-choice{display:block;margin:10px 0}',
  '.relay-wa-field>span{display:block;margin-bottom:4px}',
  '.relay-wa-field small{display:block}',
  '.relay-wa-choice input{margin:0 8px 0 0;vertical-align:-1px}',
  '.relay-wa-page input[type=text],.relay-wa-page input[type=search],.relay-wa-page textarea,',
  '.relay-wa-page select{font:inherit;padding:7px 9px;border:1px solid #c9d0d6;border-radius:4px;width:100%;',
  'max-width:460px;box-sizing:border-box;background:#fff;color:inherit}',
  '.relay-wa-page button{font:inherit;padding:6px 14px;border:1px solid #c9d0d6;border-radius:4px;background:#fff;',
  'color:inherit;cursor:pointer;margin-right:8px}',
  '.relay-wa-page .relay-wa-main{background:#1f7a53;border-color:#1f7a53;color:#fff}',
  '.relay-wa-page :focus-visible{outline:2px solid #4c8bf7;outline-offset:1px}',
  '.relay-wa-status:empty{display:none}',
  '.relay-wa-status{background:#fdf6e3;border-radius:4px;padding:10px 14px;white-space:pre-line}',
  '.relay-wa-bar{position:sticky;bottom:0;background:#fff;border:1px solid #e3e6e9;border-radius:6px;padding:12px 16px;',
  'display:flex;gap:6px;align-items:center;box-shadow:0 -4px 14px rgba(20,30,40,.08)}',
  '.relay-wa-bar[hidden]{display:none}',
  '.relay-wa-bar span{flex:1}',
  '.relay-wa-list{list-style:none;padding:0;margin:8px 0;max-height:340px;overflow:auto}',
  '.relay-wa-list li{display:flex;align-items:center;padding:3px 0;max-width:460px}',
  '.relay-wa-list span{flex:1}',
  '.relay-wa-list .relay-wa-gone span{text-decoration:line-through;color:#8a929b}',
  '.relay-wa-list .relay-wa-new span{color:#1f7a53;font-weight:600}',
  '.relay-wa-user{border-top:1px solid #eef0f2;padding:8px 0}',
  '.relay-wa-user summary{cursor:pointer}',
  '.relay-wa-form{padding:6px 0 10px 18px}',
  '.relay-wa-channel{display:flex;gap:12px;align-items:center;flex-wrap:wrap;padding:8px 0;border-top:1px solid #eef0f2}',
  '.relay-wa-channel span{flex:1;color:#6b7480}',
  '.relay-wa-channel::before{content:"";width:9px;height:9px;border-radius:50%;background:#d64545}',
  '.relay-wa-channel[data-state=connected]::before{background:#1f9d55}',
  '.relay-wa-channel>div{flex-basis:100%}',
  '.relay-wa-code svg{width:280px;height:280px}',
].join('');

function addStyle(text) {
  if (document.getElementById('relay-wa-style')) return;
  const style = document.createElement('style');
  style.id = 'relay-wa-style';
  style.textContent = text;
  document.head.append(style);
}
