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
  const texts = pieces.map((_, index) => (index === 0 ? '' : glue));
  return { [PIECE]: true, texts: [...texts, ''], values: pieces };
}

/** What pg's `query` takes. */
export function renderSql(piece: Sql): { text: string; values: unknown[] } {
  const values: unknown[] = [];
  return { text: textOf(piece, values), values };
}

function textOf(piece: Sql, values: unknown[]): string {
  let text = piece.texts[0] ?? '';
  piece.values.forEach((value, index) => {
    text += isPiece(value) ? textOf(value, values) : `$${values.push(value)}`;
    text += piece.texts[index + 1] ?? '';
  });
  return text;
}

function isPiece(value: unknown): value is Sql {
  return typeof value === 'object' && value !== null && PIECE in value;
}
