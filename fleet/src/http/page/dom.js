// Small helpers: elements, lists that are updated in place, numbers and times as text.
// Text from the server only ever becomes text nodes and attribute values.

const SVG = 'http://www.w3.org/2000/svg';

/** An element with attributes and children (elements or text). */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  setAll(element, attributes);
  element.append(...children);
  return element;
}

/** The same for SVG. */
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  setAll(element, attributes);
  element.append(...children);
  return element;
}

/** Sets an attribute if it differs, so that nothing is drawn again for nothing. */
export function set(element, name, value) {
  const text = String(value);
  if (element.getAttribute(name) !== text) element.setAttribute(name, text);
}

export function setAll(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) set(element, name, value);
}

/** Sets the text if it differs. */
export function text(element, value) {
  const string = String(value);
  if (element.textContent !== string) element.textContent = string;
}

/** Gives or takes a class if that changes anything. */
export function toggle(element, name, on) {
  if (element.classList.contains(name) !== on) element.classList.toggle(name, on);
}

/** Makes the children of `parent` those of `items`: elements of the same key are kept. */
export function keyed(parent, items, key, make, update) {
  const old = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  items.forEach((item, place) => {
    const name = String(key(item));
    const element = old.get(name) ?? make(item);
    set(element, 'data-key', name);
    old.delete(name);
    update(element, item);
    if (parent.children[place] !== element) {
      parent.insertBefore(element, parent.children[place] ?? null);
    }
  });
  for (const element of old.values()) element.remove();
}

/** Shows [name, value] pairs in a `dl`; pairs without a value are left out. */
export function facts(list, pairs) {
  keyed(
    list,
    pairs.filter(([, value]) => value !== null && value !== undefined),
    ([name]) => name,
    ([name]) => el('div', {}, el('dt', {}, name), el('dd')),
    (element, [, value]) => text(element.lastElementChild, value),
  );
}

/** Updates the cells of a table's row; labels are for narrow screens. */
export function cells(row, labels, values) {
  while (row.children.length < values.length) {
    row.append(el('td', { role: 'cell', 'data-label': labels[row.children.length] }));
  }
  values.forEach((value, column) => text(row.children[column], value));
}

const plain = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const fine = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 });

export const count = (value) => plain.format(value);
export const rate = (value) => (value >= 100 ? plain.format(value) : fine.format(value));
export const short = (id) => id.slice(0, 8);
export const bytes = (value) => `${fine.format(value / 2 ** 30)} GiB`;

/** Milliseconds in words. */
export function duration(milliseconds) {
  const ms = Math.max(0, milliseconds);
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.floor(ms / 1000);
  const two = (value) => String(value).padStart(2, '0');
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${two(seconds % 60)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`;
  return `${Math.floor(minutes / 1440)} days`;
}

/** How long ago, to the second. */
export function ago(now, then) {
  const ms = now - then;
  return ms < 1500 ? 'now' : `${duration(ms < 10_000 ? Math.round(ms / 1000) * 1000 : ms).replace('.0', '')} ago`;
}

export const clock = (ms) => new Date(ms).toLocaleTimeString('en-GB');
