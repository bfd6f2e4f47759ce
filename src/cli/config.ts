import { presentValues } from '../config/config.ts';
import { options } from '../program/config.ts';
import { defineCommand } from './command.ts';
import { asJson } from './parameters.ts';
import { print, printJson } from './output/print.ts';

export const config = defineCommand({
  words: 'config',
  description: 'Show every option with its present value; secrets only as set or not set.',
  options: asJson,
  async run(_given, { json }) {
    const values = presentValues(options);
    if (json) {
      printJson(
        Object.values(options).map(({ name, meaning }) => ({ name, value: values.get(name), meaning })),
      );
      return 0;
    }
    const width = Math.max(...[...values.keys()].map((name) => name.length));
    for (const { name, meaning } of Object.values(options)) {
      print(`${name.padEnd(width)}  ${values.get(name)}`);
      print(`${''.padEnd(width)}  ${meaning}`);
    }
    return 0;
  },
});
