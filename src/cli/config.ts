import { presentValues } from '../config/config.ts';
import { options } from '../program/config.ts';
import { defineCommand } from './command.ts';
import { print } from './output/print.ts';

export const config = defineCommand({
  words: 'config',
  description: 'Show every option with its present value; secrets only as set or not set.',
  async run() {
    const values = presentValues(options);
    const width = Math.max(...[...values.keys()].map((name) => name.length));
    for (const { name, meaning } of Object.values(options)) {
      print(`${name.padEnd(width)}  ${values.get(name)}`);
      print(`${''.padEnd(width)}  ${meaning}`);
    }
    return 0;
  },
});
