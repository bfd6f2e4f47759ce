import { defineCommand } from '../command.ts';
import { printJson } from '../output/print.ts';
import { jsonAnyway } from '../parameters.ts';
import { operatorOfHere } from './asking/operator-of-here.ts';

export const openapi = defineCommand({
  words: 'openapi',
  description: 'Print the OpenAPI document of the operator API, of which clients can be made.',
  options: jsonAnyway,
  async run() {
    printJson(await (await operatorOfHere()).openapi());
    return 0;
  },
});
