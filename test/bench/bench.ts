/**
 * `npm run bench`: how fast this broker is on the machine at hand, as ratios. No test: machines differ, ratios less so.
 * With `-- --peer URL --user U --pass P` beside another broker, under the same load, in turns.
 */
import { parseArgs } from 'node:util';

const text = { type: 'string' } as const;
const { values } = parseArgs({
  options: { peer: text, user: text, pass: text, offering: text, plan: text, seconds: text },
});
if (values.peer === undefined) await import('./alone.ts');
else {
  const { compare } = await import('./compare.ts');
  const { peer: url, user = '', pass = '', offering, plan, seconds = '5' } = values;
  console.log(await compare({ url, login: `${user}:${pass}`, offering, plan }, Number(seconds) * 1000));
}
