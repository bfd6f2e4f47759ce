/** Where templates are filled; what gives an offering its shape is the same for all instances. */
const ofObjects = {
  apiVersion: 'none',
  kind: 'none',
  'after.*': 'none',
  'ignore.*': 'none',
  'ready.*.path': 'none',
  'failed.*.path': 'none',
  'failed.*.text': 'none',
  'metadata.name': 'text',
  '**': 'value',
} as const;

const ofReads = { 'of.name': 'text' } as const;
const ofExecs = { 'run.*': 'text', send: 'text', expect: 'text' } as const;

export const fills: Readonly<Record<string, Filling>> = {
  cluster: 'text',
  namespace: 'text',
  'labels.*': 'text',
  'quota.*': 'text',
  'limits.**': 'value',
  'allow_from.**': 'value',
  'units.*.address': 'text',
  'units.*.pods.*': 'text',
  ...below('objects.*', ofObjects),
  ...below('read.*', ofReads),
  ...below('bind.objects.*', ofObjects),
  ...below('bind.read.*', ofReads),
  ...below('bind.exec.*', ofExecs),
  ...below('unbind.exec.*', ofExecs),
};

type Filling = 'text' | 'value' | 'none';

function below(place: string, words: Readonly<Record<string, Filling>>): Record<string, Filling> {
  return Object.fromEntries(Object.entries(words).map(([word, filling]) => [`${place}.${word}`, filling]));
}
