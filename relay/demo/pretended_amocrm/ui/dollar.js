// As much of amoCRM's jQuery as a page of ours needs; a test puts the real one in its place.
(function () {
  if (window.jQuery) return;
  const heard = new WeakMap(); // target → [{type, space, fn}]

  function split(name) {
    const [type, ...space] = name.split('.');
    return { type: type, space: space.join('.') };
  }

  function Dollar(target) {
    return {
      on(name, fn) {
        const list = heard.get(target) || [];
        list.push({ ...split(name), fn: fn });
        heard.set(target, list);
        return this;
      },
      off(name) {
        const { type, space } = split(name);
        const list = heard.get(target) || [];
        const kept = list.filter((e) => (type && e.type !== type) || (space && e.space !== space));
        heard.set(target, kept);
        return this;
      },
      trigger(type) {
        for (const each of [...(heard.get(target) || [])]) if (each.type === type) each.fn.call(target);
        return this;
      },
      html(text) {
        for (const node of document.querySelectorAll(target)) node.innerHTML = text;
        return this;
      },
    };
  }

  // Like jQuery's: rejects with an object that has `status` and `responseJSON`.
  Dollar.ajax = function (request) {
    const headers = { ...request.headers };
    if (request.contentType) headers['Content-Type'] = request.contentType;
    return (async () => {
      let answer;
      try {
        answer = await fetch(request.url, {
          method: request.method || 'GET', headers: headers, body: request.data, credentials: 'omit',
        });
      } catch (error) {
        throw { status: 0 };
      }
      const text = await answer.text();
      const json = /\bjson\b/.test(answer.headers.get('Content-Type') || '') ? JSON.parse(text) : undefined;
      if (!answer.ok) throw { status: answer.status, responseJSON: json };
      return json;
    })();
  };
  window.jQuery = window.$ = Dollar;
})();
