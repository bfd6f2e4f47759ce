/** What pages consist of, as plain values: the templates in views/ know nothing else, and escape all of it. */

/** Of something that people look at twice; always beside a word that says the same. */
export type Tone = 'good' | 'bad' | 'busy' | 'quiet' | 'warn';

export interface Piece {
  readonly text: string;
  readonly href?: string | undefined;
  readonly tone?: Tone | undefined;
  /** An id, an address: something to be copied. */
  readonly code?: boolean;
  readonly soft?: boolean;
  /** ISO 8601; the text is how people read it. */
  readonly time?: string | undefined;
  /** A picture of a share, from 0 to 1, beside the text that says it. */
  readonly share?: number;
}

/** One below the other; empty: there is nothing to be said. */
export type Cell = readonly (Piece | undefined)[];

export interface Column {
  readonly name: string;
  readonly number?: boolean;
}

export interface Table {
  readonly is: 'table';
  /** What it lists, for those who do not see it. */
  readonly label: string;
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly Cell[])[];
  /** A sentence in place of no rows. */
  readonly empty: string;
}

export interface Facts {
  readonly is: 'facts';
  readonly facts: readonly (readonly [name: string, Cell])[];
}

/** Numbers that are read in passing. */
export interface Figures {
  readonly is: 'figures';
  readonly figures: readonly {
    readonly name: string;
    readonly value: string;
    readonly note?: string | undefined;
    readonly href?: string | undefined;
    readonly tone?: Tone | undefined;
  }[];
}

export interface Field {
  readonly name: string;
  readonly label: string;
  readonly kind: 'text' | 'choice' | 'check';
  readonly value: string;
  readonly hint?: string | undefined;
  readonly choices?: readonly string[];
}

export interface Filters {
  readonly is: 'filters';
  readonly action: string;
  readonly fields: readonly Field[];
  readonly inUse: number;
  /** What is sent besides, and stays when the fields are cleared. */
  readonly hidden?: Readonly<Record<string, string>>;
}

export interface Links {
  readonly is: 'links';
  readonly label: string;
  readonly links: readonly { readonly text: string; readonly href: string; readonly danger?: boolean }[];
}

export interface Text {
  readonly is: 'text';
  readonly text: string;
  readonly tone?: Tone | undefined;
}

/** Bars over time, of parts that are stacked. */
export interface Chart {
  readonly is: 'chart';
  readonly title: string;
  /** The whole picture in a sentence. */
  readonly says: string;
  readonly width: number;
  readonly height: number;
  readonly bars: readonly {
    readonly x: number;
    readonly y: number;
    readonly height: number;
    readonly width: number;
    readonly tone: Tone;
  }[];
  /** What the full height is. */
  readonly most: string;
  /** Below it, from left to right. */
  readonly axis: readonly string[];
  readonly legend: readonly { readonly tone: Tone; readonly text: string }[];
}

/** One bar for each thing, of parts side by side. */
export interface Shares {
  readonly is: 'shares';
  readonly label: string;
  readonly first: string;
  readonly rows: readonly {
    readonly name: Piece;
    readonly total: string;
    readonly bars: readonly { readonly x: string; readonly width: string; readonly tone: Tone }[];
    readonly says: readonly Piece[];
  }[];
}

/** Asks once more before something is done. */
export interface Confirmation {
  readonly is: 'confirmation';
  readonly button: string;
  readonly danger: boolean;
  readonly back: string;
  readonly fields: readonly (Field & { readonly required: boolean })[];
}

/** What has been done, step by step: bars on the time that all of it took. */
export interface Timeline {
  readonly is: 'timeline';
  readonly label: string;
  readonly steps: readonly {
    readonly name: string;
    readonly notes: readonly Piece[];
    readonly took: string;
    readonly x: string;
    readonly width: string;
    readonly tone: Tone;
  }[];
}

export type Part =
  Table | Facts | Figures | Filters | Links | Text | Chart | Shares | Confirmation | Timeline;

export interface Section {
  readonly title?: string | undefined;
  /** It is of the section before. */
  readonly sub?: boolean;
  readonly note?: Cell | undefined;
  readonly parts: readonly (Part | undefined)[];
}

export interface PageContent {
  readonly title: string;
  /** What kind of thing the title names. */
  readonly kind?: string | undefined;
  readonly below?: Cell | undefined;
  readonly sections: readonly Section[];
  /** It changes by itself, so it is shown anew while it is looked at. */
  readonly live?: boolean;
}
