// The relay, as the widget calls it: every call carries amoCRM's own one-time token.

function Backend(widget, byDefault) {
  // As saved in the widget's settings; left empty, the address the archive was built with.
  function address() {
    const saved = String((widget.get_settings() || {}).backend_url || '').trim();
    return (saved || byDefault).replace(/\/+$/, '');
  }

  // Resolves with the answer's JSON; rejects with {status, problem}: status 0 if nobody answered.
  this.call = function (method, path, data) {
    const headers = { 'Accept-Language': APP.lang_id }; // refusals are read by the page's user
    const request = { url: address() + path, method: method, dataType: 'json', timeout: 70000, headers: headers };
    if (data !== undefined) {
      request.data = JSON.stringify(data);
      request.contentType = 'application/json';
    }
    return new Promise((resolve, reject) => {
      const fail = (xhr) =>
        reject({ status: (xhr && xhr.status) || 0, problem: (xhr && xhr.responseJSON) || {} });
      try {
        Promise.resolve(widget.$authorizedAjax(request)).then(resolve, fail);
      } catch (error) {
        fail(null);
      }
    });
  };
}
