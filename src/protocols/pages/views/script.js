// Shows a page anew while it is looked at: the broker sends what is on it when that has changed.
const main = document.querySelector('main[data-live]');
let stream;

function isInUse() {
  const { activeElement } = document;
  return main.contains(activeElement) && activeElement !== main && activeElement.tagName !== 'A';
}

function show({ data }) {
  if (isInUse() || String(getSelection()) !== '') return;
  const focused = main.contains(document.activeElement) ? document.activeElement.getAttribute('href') : null;
  const parsed = new DOMParser().parseFromString(JSON.parse(data), 'text/html');
  const open = [...main.querySelectorAll('details')].map((details) => details.open);
  main.replaceChildren(...parsed.body.childNodes);
  main.querySelectorAll('details').forEach((details, at) => (details.open = open[at] ?? details.open));
  if (focused) main.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
}

function follow() {
  stream?.close();
  stream = undefined;
  if (!main || document.hidden) return;
  stream = new EventSource(location.href);
  stream.onmessage = show;
}

document.addEventListener('visibilitychange', follow);
follow();
