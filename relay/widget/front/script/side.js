// The numbers of a card in the right column, where the card itself could not be read.

function SideList(widget, phones, words, rows) {
  const buttons = [];
  const list = document.createElement('ul');
  list.className = 'relay-wa-side';
  for (const row of rows) {
    const item = document.createElement('li');
    const text = document.createElement('span');
    text.textContent = [row.name, row.number].filter(Boolean).join(' · ');
    const button = new CheckButton(phones, words, () => row.number);
    item.append(button.node, text);
    list.append(item);
    buttons.push(button);
  }
  widget.render_template({
    caption: { class_name: 'relay-wa-caption', html: '' },
    body: '',
    render: '<div class="relay-wa-place"></div>',
  });
  const place = document.querySelector('.relay-wa-place');
  if (place) place.replaceChildren(list);

  this.show = () => buttons.forEach((button) => button.show());
  this.remove = () => list.remove();
}
