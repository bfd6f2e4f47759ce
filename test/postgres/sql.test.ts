import { join, raw, renderSql, sql } from '../../src/postgres/sql.ts';

test('Values of nested pieces are numbered in the order in which they stand', () => {
  const inner = sql`b = ${2} and ${raw('c')} = ${3}`;
  expect(
    renderSql(sql`select ${1} where ${join([inner, sql`d`, sql`e = ${4}`], ' or ')} limit ${5}`),
  ).toEqual({
    text: 'select $1 where b = $2 and c = $3 or d or e = $4 limit $5',
    values: [1, 2, 3, 4, 5],
  });
});

test('The text of a statement is that of its own pieces, wherever the same pieces have stood before', () => {
  const both = (one: unknown, other: unknown) => renderSql(sql`${one}, ${other}`).text;
  const now = () => sql`now()`;
  const twice = (value: unknown) => sql`(${value})`;
  for (let round = 0; round < 2; round += 1) {
    expect(both(1, 2)).toBe('$1, $2');
    expect(both(now(), 1)).toBe('now(), $1');
    expect(both(1, now())).toBe('$1, now()');
    expect(both(twice(now()), 1)).toBe('(now()), $1');
    expect(both(twice(1), now())).toBe('($1), now()');
    expect(both(twice(twice(1)), 2)).toBe('(($1)), $2');
  }
});

test.each([0, 1, 2, 19, 20, 300])('A list of %i pieces is joined by what stands between them', (count) => {
  const pieces = Array.from({ length: count }, (_, at) => sql`${at}`);
  const { text, values } = renderSql(sql`(${join(pieces, '; ')})`);
  expect(text).toBe(`(${values.map((_, at) => `$${at + 1}`).join('; ')})`);
  expect(values).toHaveLength(count);
});
