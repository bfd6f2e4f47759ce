const PIECE = Symbol('a piece of SQL');

/** SQL text with its values. Pieces nest; every value travels as a parameter, never inside the text. */
export interface Sql {
  readonly [PIECE]: true;
  readonly texts: readonly string[];
  readonly values: readonly unknown[];
}

/** sql`select * from t where id = ${id} and ${condition}` */
export function sql(texts: readonly string[], ...values: readonly unknown[]): Sql {
  return { [PIECE]: true, texts, values };
}

/** Fixed text, such as a column's name; never anything that came from outside. */
export function raw(text: string): Sql {
  return { [PIECE]: true, texts: [text], values: [] };
}

export function join(pieces: readonly Sql[], glue: string): Sql {
  return { [PIECE]: true, texts: textsBetween(pieces.length, glue), values: pieces };
}

const gluing = new Map<string, readonly string[]>();

/** The same for the same number, so that a shape is found again; long lists are of unlimited variety. */
function textsBetween(count: number, glue: string): readonly string[] {
  const key = `${count} ${glue}`;
  const known = gluing.get(key);
  if (known) return known;
  const texts = Array.from({ length: count + 1 }, (_, at) => (at === 0 || at === count ? '' : glue));
  if (count < 20) gluing.set(key, texts);
  return texts;
}

/** What pg's `query` takes. */
export function renderSql(piece: Sql): { text: string; values: unknown[] } {
  const values: unknown[] = [];
  const shape = shapeOf(piece, root, values);
  return { text: (shape.text ??= textOf(piece, { values: 0 })), values };
}

/**
 * Pieces of the same texts, nested in the same way, come to the same text: it is made once, and is one string, which is
 * compared and looked up quickly. A shape goes with the texts that lead to it.
 */
interface Shape {
  text?: string;
  value?: Shape;
  readonly pieces: WeakMap<readonly string[], Shape>;
}

const root: Shape = { pieces: new WeakMap() };

function shapeOf(piece: Sql, before: Shape, values: unknown[]): Shape {
  let shape = before.pieces.get(piece.texts);
  if (!shape) before.pieces.set(piece.texts, (shape = { pieces: new WeakMap() }));
  for (const value of piece.values) {
    if (isPiece(value)) shape = shapeOf(value, shape, values);
    else {
      values.push(value);
      shape = shape.value ??= { pieces: new WeakMap() };
    }
  }
  return shape;
}

function textOf(piece: Sql, count: { values: number }): string {
  let text = piece.texts[0] ?? '';
  piece.values.forEach((value, index) => {
    text += isPiece(value) ? textOf(value, count) : `$${(count.values += 1)}`;
    text += piece.texts[index + 1] ?? '';
  });
  return text;
}

function isPiece(value: unknown): value is Sql {
  return typeof value === 'object' && value !== null && PIECE in value;
}
