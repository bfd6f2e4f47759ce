import { pageReply } from '../page.ts';
import type { Reply } from '../protocol.ts';

/** A small page that says one thing. @param text a sentence of ours: nothing in it is escaped */
export function notice(
  status: number,
  { title, text }: { readonly title: string; readonly text: string },
  headers?: Reply['headers'],
): Reply {
  const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${title}</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>${title}</h1>
<p>${text}</p>
</main>
</body>
</html>
`;
  return pageReply(status, { html, style }, headers);
}

const style = `
:root { color-scheme: light dark; }
body { margin: 0; background: light-dark(#f5f6f8, #14181e); color: light-dark(#1c2430, #e6e9ee); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 40rem; margin: 0 auto; padding: 2.5rem 1.25rem; }
h1 { margin: 0; font-size: 1.75rem; line-height: 1.25; }
p { margin: 0.5rem 0; color: light-dark(#5b6675, #9aa5b4); }
`;
