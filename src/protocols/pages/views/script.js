// Shows a page anew while it is looked at: the broker sends what is on it whenever that has changed.
const main = document.querySelector('main[data-live]');
let stream;
let ended = false;

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
  if (!main || ended || document.hidden) return;
  stream = new EventSource(location.href);
  stream.onmessage = show;
  stream.addEventListener('end', () => {
    ended = true;
    follow();
  });
  // Of what was refused, a broker that starts for example, the browser does not ask again by itself.
  stream.onerror = () => stream?.readyState === EventSource.CLOSED && setTimeout(follow, 15_000);
}

document.addEventListener('visibilitychange', follow);
follow();
