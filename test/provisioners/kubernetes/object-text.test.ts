import fc from 'fast-check';
import { parse } from 'yaml';
import type { JsonObject } from '../../../src/broker/json.ts';
import { objectText, withoutStringData } from '../../../src/provisioners/kubernetes/client/object-text.ts';

test('The text of an object means the same to a parser of YAML and to one of JSON, whatever is in it.', () => {
  const texts = fc.string({ unit: 'binary', maxLength: 40 });
  fc.assert(
    fc.property(fc.dictionary(texts, fc.oneof(texts, fc.integer(), fc.array(texts))), (object) => {
      const text = objectText(object as JsonObject);
      expect(JSON.parse(text)).toEqual(object);
      expect(parse(text, { maxAliasCount: 0, strict: false })).toEqual(object);
    }),
    { numRuns: 200 },
  );
});

test.each([
  ['delete', '\u007f', String.raw`"\u007f"`],
  ['next line', '\u0085', String.raw`"\u0085"`],
  ['line separator', '\u2028', String.raw`"\u2028"`],
  ['byte order mark', '\ufeff', String.raw`"\ufeff"`],
  ['U+FFFE', '\ufffe', String.raw`"\ufffe"`],
  ['half a pair of surrogates', '\ud83d', '"\ufffd"'],
  ['whole pair of surrogates', '😀', '"😀"'],
  ['slash', '</a>', '"</a>"'],
])('The %s is written as the YAML parser of an API server takes it.', (_name, text, written) => {
  expect(objectText({ text })).toBe(`{"text":${written}}`);
});

test('The stringData of a Secret becomes data, and is what counts where both have a key.', () => {
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'a' },
    data: { a: 'b2xk', b: 'Yg==' },
    stringData: { a: 'new ä', c: '' },
  };
  expect(withoutStringData(secret)).toEqual({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'a' },
    data: { a: Buffer.from('new ä').toString('base64'), b: 'Yg==', c: '' },
  });
  const other = { ...secret, apiVersion: 'example.com/v1' };
  expect(withoutStringData(other)).toBe(other);
});
