import { expressionsIn, expressionText, mistakesIn } from '../../broker/template.ts';
import type { OfferingFile } from '../form/offering-file.ts';
import { type Finding, mistake } from '../problem.ts';
import { isOutside, outside } from './hooks.ts';
import { placeWithin } from './places.ts';

/** What proves a binding knows its credentials alone, and has them where no list of processes shows them. */
export function proofFindings({ prove }: OfferingFile): readonly Finding[] {
  if (!prove) return [];
  const { run, env = {} } = prove;
  return [
    ...(isOutside(run[0] ?? '') ? [mistake('prove.run[0]', outside)] : []),
    ...expressionsIn([...run]).map(({ at }) => mistake(placeWithin('prove.run', at), shown)),
    ...mistakesIn({ ...env }).map(({ at, reason }) => mistake(placeWithin('prove.env', at), reason)),
    ...expressionsIn({ ...env })
      .filter(({ path }) => path[0] !== 'credentials')
      .map((expression) =>
        mistake(placeWithin('prove.env', expression.at), `${expressionText(expression)}: ${onlyCredentials}`),
      ),
  ];
}

const shown = 'Everybody can see the arguments of a process: credentials go into `env`.';
const onlyCredentials = 'Only {{credentials.x}} is known here.';
