import fc from 'fast-check';
import type { Json, JsonObject } from '../../src/broker/json.ts';
import {
  expressionsIn,
  findValue,
  mistakesIn,
  positionIn,
  render,
  renderText,
  TemplateError,
} from '../../src/broker/template.ts';

const roots: JsonObject = {
  params: {
    size: 3,
    on: true,
    none: null,
    word: 'a b',
    quoted: `it's "here"`,
    list: ['x', 'y'],
    object: { deep: { er: 1 } },
    line: 'one\ntwo',
    template: '{{secrets.password}}',
  },
  secrets: { password: 'p@ss/word' },
  'odd-name_1': { 'a-b': 'c' },
};

describe('A template is filled', () => {
  test.each<[template: Json, filled: Json]>([
    ['{{params.size}}', 3],
    ['{{ params.size }}', 3],
    ['{{params.on}}', true],
    ['{{params.none}}', null],
    ['{{params.list}}', ['x', 'y']],
    ['{{params.object.deep}}', { er: 1 }],
    ['{{params.list.1}}', 'y'],
    ['size {{params.size}}', 'size 3'],
    ['{{params.size}}{{params.on}}', '3true'],
    ['{{params.size | json}}', '3'],
    ['{{odd-name_1.a-b}}', 'c'],
    ['no template, } and }} and { and {a}', 'no template, } and }} and { and {a}'],
    ['{{{params.size}}}', '{3}'],
    [
      { a: ['{{params.size}}', 1, null, true], b: {} },
      { a: [3, 1, null, true], b: {} },
    ],
    [7, 7],
    [null, null],
  ])('%j becomes %j', (template, filled) => {
    expect(render(template, roots)).toEqual(filled);
  });

  test.each([
    ['uri', '{{secrets.password | uri}}', 'p%40ss%2Fword'],
    ['uri', '{{params.quoted | uri}}', 'it%27s%20%22here%22'],
    ['json', '[{{params.quoted | json}}]', `["it's \\"here\\""]`],
    ['json', '{{params.list | json}}', '["x","y"]'],
    ['base64', '{{params.word | base64}}', 'YSBi'],
    ['base64', '{{params.size|base64}}', 'Mw=='],
    ['sh', 'echo {{params.quoted | sh}}', `echo 'it'\\''s "here"'`],
  ])('A template is filled through the filter %s: %s becomes %s', (_filter, template, filled) => {
    expect(render(template, roots)).toBe(filled);
  });

  test('A value that holds braces is not filled again.', () => {
    expect(render({ a: '{{params.template}}', b: 'x{{params.template}}' }, roots)).toEqual({
      a: '{{secrets.password}}',
      b: 'x{{secrets.password}}',
    });
  });

  test('A member named __proto__ is a member like others.', () => {
    const template = JSON.parse('{"__proto__": "{{params.size}}"}') as Json;
    expect(JSON.stringify(render(template, roots))).toBe('{"__proto__":3}');
  });
});

describe('A template that cannot be filled names its place', () => {
  test.each<[template: Json, message: string]>([
    ['{{params.colour}}', 'There is no value for {{params.colour}}.'],
    [{ credentials: { uri: '{{db.user}}' } }, 'credentials.uri: There is no value for {{db.user}}.'],
    [{ mounts: [{}, { 'a.b': 'x{{y}}' }] }, 'mounts[1]["a.b"]: There is no value for {{y}}.'],
    ['{{params.constructor}}', 'There is no value for {{params.constructor}}.'],
    ['{{params.__proto__}}', 'There is no value for {{params.__proto__}}.'],
    ['{{params.list.length}}', 'There is no value for {{params.list.length}}.'],
    ['{{params.word.length}}', 'There is no value for {{params.word.length}}.'],
    ['{{params.list.2}}', 'There is no value for {{params.list.2}}.'],
    [['{{params.size | hex}}'], `[0]: There is no filter 'hex'; there are uri, json, base64, quoted, sh.`],
    [
      'a {{params.list}}',
      '{{params.list}} is no text, number or boolean; only the filter json can write it into text.',
    ],
    [
      '{{params.none | sh}}',
      '{{params.none | sh}} is no text, number or boolean; only the filter json can write it into text.',
    ],
    ['{{params.size', 'An expression is {{path}} or {{path | filter}}, nothing else: {{params.size'],
    ['{{}}', 'An expression is {{path}} or {{path | filter}}, nothing else: {{}}'],
    ['{{#if a}}', 'An expression is {{path}} or {{path | filter}}, nothing else: {{#if a}}'],
    [
      '{{a | uri | json}}',
      'An expression is {{path}} or {{path | filter}}, nothing else: {{a | uri | json}}',
    ],
    ['{{params.size}} and {{ }}', 'An expression is {{path}} or {{path | filter}}, nothing else: {{ }}'],
  ])('A template that cannot be filled names its place: %j: %s', (template, message) => {
    expect(() => render(template, roots)).toThrow(new TemplateError('', message));
  });
});

describe('A text that becomes a file', () => {
  test('A text that becomes a file is always text.', () => {
    expect(renderText('{{params.size}}', roots)).toBe('3');
    expect(renderText('{{params.list | json}}', roots)).toBe('["x","y"]');
  });

  test.each(['{{params.line}}', '{{params.line | sh}}', '{{params.line | uri}}', '{{params.line | base64}}'])(
    'A text that becomes a file refuses a control character in %s and names the file.',
    (template) => {
      expect(() => renderText(`a ${template}`, roots, 'files["redis.conf"]')).toThrow(
        /^files\["redis.conf"\]: \{\{params\.line.*\}\} holds a control character; only the filter json can write it\.$/,
      );
    },
  );

  test('A text that becomes a file takes a control character through json.', () => {
    expect(renderText('x: {{params.line | json}}', roots)).toBe('x: "one\\ntwo"');
  });

  test.each(['\u0000', '\t', '\r', '\u001b', '\u007f', '\u0085', '\u2028'])(
    'A text that becomes a file refuses %j, and json leaves nothing of it.',
    (mark) => {
      const values = { params: { x: `a${mark}b` } };
      expect(() => renderText('{{params.x}}', values)).toThrow('holds a control character');
      const text = renderText('{{params.x | json}}', values);
      expect(text).not.toContain(mark);
      expect(JSON.parse(text)).toBe(`a${mark}b`);
    },
  );
});

describe('For every value', () => {
  const json = fc.json().map((text) => JSON.parse(text) as Json);
  const anyText = fc.string({ unit: 'binary' });

  test('An expression alone gives every value as it is.', () => {
    fc.assert(fc.property(json, (x) => expect(render('{{params.x}}', { params: { x } })).toEqual(x)));
  });

  test('The text of the filter json reads back.', () => {
    fc.assert(
      fc.property(json, (x) =>
        expect(JSON.parse(renderText('{{params.x | json}}', { params: { x } }))).toEqual(x),
      ),
    );
  });

  test('The text of the filter uri decodes again and needs no further escape.', () => {
    fc.assert(
      fc.property(anyText, (x) => {
        const text = render('{{params.x | uri}}', { params: { x } }) as string;
        expect(text).toMatch(/^[\w.~%-]*$/);
        expect(decodeURIComponent(text)).toBe(x.toWellFormed());
      }),
    );
  });

  test('The text of the filter quoted reads back between double quotes, with more beside it.', () => {
    const text = `a "quoted" one, it's C:\\temp # ñ`;
    const filled = renderText('"{{params.text | quoted}}/more"', { params: { text } });
    expect(JSON.parse(filled)).toBe(`${text}/more`);
  });

  test('The text of the filter base64 decodes again.', () => {
    fc.assert(
      fc.property(anyText, (x) => {
        const text = render('{{params.x | base64}}', { params: { x } }) as string;
        expect(Buffer.from(text, 'base64').toString('utf8')).toBe(x.toWellFormed());
      }),
    );
  });

  test('The text of the filter sh is one word of a shell.', () => {
    fc.assert(
      fc.property(anyText, (x) => {
        const text = render('{{params.x | sh}}', { params: { x } }) as string;
        expect(text).toMatch(/^(?:'[^']*'(?:\\'(?='))?)+$/);
        expect(text.replaceAll(`'\\''`, `'`).slice(1, -1)).toBe(x);
      }),
    );
  });

  test('Braces in a value stay as they are.', () => {
    const braces = fc
      .array(fc.constantFrom('{{', '}}', 'params.x', ' | ', 'json', '{', '}'))
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(braces, (x) => {
        expect(render({ a: '{{params.x}}', b: '<{{params.x}}>' }, { params: { x } })).toEqual({
          a: x,
          b: `<${x}>`,
        });
      }),
    );
  });
});

test('The expressions of a template are told with their places.', () => {
  const template = {
    uri: 'redis://:{{secrets.password | uri}}@{{node.host}}',
    ports: ['{{ports.main}}'],
    plain: 'x',
  };
  expect(expressionsIn(template)).toEqual([
    { path: ['secrets', 'password'], filter: 'uri', at: 'uri', alone: false },
    { path: ['node', 'host'], at: 'uri', alone: false },
    { path: ['ports', 'main'], at: 'ports[0]', alone: true },
  ]);
});

test('All mistakes of a template are told, those in names too.', () => {
  expect(mistakesIn({ a: ['{{x', '{{x | y}}'], '{{b}}': 1 })).toEqual([
    { at: 'a[0]', reason: 'An expression is {{path}} or {{path | filter}}, nothing else: {{x' },
    { at: 'a[1]', reason: `There is no filter 'y'; there are uri, json, base64, quoted, sh.` },
    { at: '["{{b}}"]', reason: 'A name cannot hold a template.' },
  ]);
});

test('A path leads through own members and list positions only.', () => {
  expect(findValue(['a', '1', 'b'], { a: [0, { b: 'c' }] })).toBe('c');
  expect(findValue(['toString'], {})).toBeUndefined();
  expect(findValue([], 5)).toBe(5);
});

test.each<[string, string | number, string]>([
  ['', 'plans', 'plans'],
  ['plans', 0, 'plans[0]'],
  ['plans[0]', 'name', 'plans[0].name'],
  ['parameters', '$schema', 'parameters.$schema'],
  ['files', 'redis.conf', 'files["redis.conf"]'],
])('The place of a member of %j called %j is %s', (at, key, place) => {
  expect(positionIn(at, key)).toBe(place);
});
