// Runs in the page: what of it has no name for those who do not see it, and what is wider than the window.
(() => {
  const nameOf = (one) =>
    [
      one.getAttribute('aria-label'),
      one.textContent,
      ...[...(one.labels ?? [])].map((label) => label.textContent),
    ].find((name) => name?.trim());
  const all = (what) => [...document.querySelectorAll(what)];
  const named = all('a, button, input:not([type=hidden]), select, summary, table, nav, svg[role=img]');
  const ids = all('[id]').map(({ id }) => id);
  const { scrollWidth, clientWidth } = document.documentElement;
  return {
    nameless: named.filter((one) => !nameOf(one)).map((one) => one.outerHTML),
    unlabelled: all('input:not([type=hidden]), select').filter(({ labels }) => labels.length !== 1).length,
    sameIds: ids.filter((id, at) => ids.indexOf(id) !== at),
    headings: all('h1').length,
    inline: all('[style], style, [onclick], [onerror], script:not([src])').length,
    images: all('img, iframe, object, embed').length,
    tooWide: scrollWidth - clientWidth,
    title: document.title.endsWith(' – Purveyor') ? 'a title' : document.title,
  };
})();
