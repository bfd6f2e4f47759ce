import { defineCommand } from '../command.ts';
import { print } from '../output/print.ts';
import { operatorOfHere } from './asking/operator-of-here.ts';

export const openapi = defineCommand({
  words: 'openapi',
  description: 'Print the OpenAPI document of the operator API, of which clients can be made.',
  async run() {
    print(JSON.stringify(await operatorOfHere().openapi(), undefined, 2));
    return 0;
  },
});
