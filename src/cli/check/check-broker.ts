import { isObject, type JsonObject } from '../../broker/json.ts';
import type { Login } from '../../protocols/protocol.ts';
import type { CaseGroup } from './case.ts';
import { chooseMarket, textOf, type Market } from './probe/market.ts';
import { openProbe } from './probe/probe.ts';
import { conformanceReport, type ConformanceReport } from './report/report.ts';
import { runCases, type CaseResult } from './run-cases.ts';
import { NoAnswer, openWire, type Wire } from './probe/wire.ts';

export interface BrokerCheck {
  /** Without a slash at its end. */
  readonly address: string;
  readonly login: Login;
  /** E.g. `2.17`. */
  readonly apiVersion: string;
  /** By name or id; undefined: the first that can be bound. */
  readonly offering?: string | undefined;
  readonly plan?: string | undefined;
  readonly parameters?: JsonObject | undefined;
  readonly otherParameters?: JsonObject | undefined;
  readonly groups: readonly CaseGroup[];
  readonly mostRequests: number;
  /** How many requests are sent at once. */
  readonly atOnce: number;
  /** Milliseconds for the run, for one operation and for one answer. */
  readonly within: number;
  readonly operationWithin: number;
  readonly answerWithin: number;
  /** Ends the run; what was made is removed all the same. */
  readonly signal: AbortSignal;
  readonly onResult: (result: CaseResult) => void;
}

/**
 * Looks at a broker from outside, by all cases of these groups, and removes what it has made.
 * @throws Error with a sentence when there is nothing that could be looked at: no answer, no login, no plan
 */
export async function checkBroker(check: BrokerCheck): Promise<ConformanceReport> {
  const began = performance.now();
  const wire = openWire(check);
  try {
    const market = await readMarket(wire, check);
    const minor = Number(check.apiVersion.split('.')[1]);
    const open = openProbe({
      ...check,
      wire,
      market,
      minor,
      parameters: check.parameters,
      otherParameters: check.otherParameters,
    });
    const run = await runCases(open, check.groups, check.onResult);
    const subject = {
      broker: check.address,
      apiVersion: check.apiVersion,
      offering: textOf(market.service['name']),
      plan: textOf(market.plan['name']),
      ms: Math.round(performance.now() - began),
      password: check.login.password,
      exchanges: open.probe.exchanges,
    };
    return conformanceReport(subject, run);
  } finally {
    wire.close();
  }
}

async function readMarket(wire: Wire, { address, offering, plan }: BrokerCheck): Promise<Market> {
  const answer = await wire.send({ method: 'GET', path: '/v2/catalog' }).catch((error: unknown) => {
    if (!(error instanceof NoAnswer)) throw error;
    throw new Error(`The broker at ${address} cannot be reached: ${error.message}.`, { cause: error });
  });
  if (answer.status === 401)
    throw new Error(`The broker at ${address} does not know this user name and password.`);
  const { status, json } = answer;
  const { location } = answer.headers;
  if (status >= 300 && status < 400 && location !== undefined)
    throw new Error(`The broker at ${address} leads GET /v2/catalog to ${location}: check that address.`);
  const isIt = 'Is it the address of a broker, without /v2?';
  if (status !== 200)
    throw new Error(`The broker at ${address} answers GET /v2/catalog with status ${status}. ${isIt}`);
  if (!isObject(json))
    throw new Error(`The broker at ${address} answers GET /v2/catalog with no JSON object. ${isIt}`);
  return chooseMarket(answer.body, offering, plan);
}
