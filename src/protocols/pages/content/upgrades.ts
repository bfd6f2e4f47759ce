import { upgradeItemStates } from '../../../broker/offices/upgrades.ts';
import type {
  UpgradeDetailsAnswer,
  UpgradeItemAnswer,
  UpgradeRunAnswer,
} from '../../operator/wire/upgrades.ts';
import type { Call } from '../../protocol.ts';
import type { Ask } from '../ask.ts';
import { filtersOf, pagerOf } from '../filters.ts';
import { instancePath, operationPath, upgradePath } from '../paths.ts';
import { type ActionName, actionLinks } from './actions.ts';
import { paged } from './lists.ts';
import type { Cell, Facts, PageContent, Piece, Table } from './parts.ts';
import { badge, between, cell, code, count, duration, moment, soft, text, toneOf } from './words.ts';

/** Runs that are shown; the older ones are in the API. */
const runsShown = '100';

export async function upgradesPage(ask: Ask): Promise<PageContent> {
  const { upgrades } = await ask('upgrades', { query: { limit: runsShown } });
  const columns = [
    { name: 'Run' },
    { name: 'State' },
    { name: 'Of which instances' },
    { name: 'Done' },
    { name: 'Started by' },
    { name: 'Begun (UTC)' },
    { name: 'Took', number: true },
  ];
  const rows = upgrades.map((run) => [
    cell(code(run.id, upgradePath(run.id))),
    cell(badge(run.state), soft(run.reason)),
    filterOf(run),
    progressOf(run),
    cell(text(run.principal)),
    cell(moment(run.created_at)),
    cell(text(between(run.created_at, run.finished_at))),
  ]);
  const empty = 'No upgrades of many instances were started; `purveyor upgrades start` does.';
  return {
    title: 'Upgrades',
    live: true,
    sections: [{ parts: [{ is: 'table', label: 'Runs of upgrades', columns, rows, empty }] }],
  };
}

function filterOf({ filter }: UpgradeRunAnswer): Cell {
  const said = Object.entries(filter).map(([name, value]) => text(`${name.replaceAll('_', ' ')} ${value}`));
  return said.length === 0 ? cell(text('all that have drifted')) : cell(...said);
}

function totalOf({ instances }: UpgradeRunAnswer): number {
  return Object.values(instances).reduce((sum, one) => sum + one, 0);
}

function progressOf(run: UpgradeRunAnswer): Cell {
  const { succeeded, failed, skipped } = run.instances;
  const [done, total] = [succeeded + failed + skipped, totalOf(run)];
  return cell(
    { text: `${done} of ${count(total, 'instance')}`, share: total > 0 ? done / total : 1 },
    failed > 0 ? { text: `${failed} failed`, tone: 'bad' } : undefined,
  );
}

/** One run with its instances, page by page. */
export async function upgradePage(
  ask: Ask,
  { query, readsOnly = false }: Pick<Call, 'query' | 'readsOnly'>,
): Promise<PageContent> {
  const { id = '', ...of } = Object.fromEntries(query);
  const asked = new URLSearchParams(of);
  const run = await ask('upgrades show', { params: { run: id }, query: paged(asked) });
  return {
    title: run.id,
    kind: 'Run of upgrades',
    below: cell(badge(run.state), soft(run.reason)),
    live: run.finished_at === undefined,
    sections: [
      {
        parts: [
          actionLinks(!readsOnly, changesOf(run), { run: run.id }),
          { is: 'figures', figures: upgradeItemStates.map((state) => figureOf(run, state)) },
          factsOf(run),
        ],
      },
      {
        title: 'Instances',
        parts: [
          { ...filtersOf('upgrades show', 'upgrade', asked), hidden: { id: run.id } },
          itemTable(run.items),
          pagerOf('upgrade', query, run.next),
        ],
      },
    ],
  };
}

function figureOf(run: UpgradeRunAnswer, state: UpgradeItemAnswer['state']) {
  const n = run.instances[state];
  const tone = state === 'failed' && n > 0 ? ('bad' as const) : undefined;
  return { name: nameOf(state), value: n.toLocaleString('en'), tone };
}

function nameOf(state: string): string {
  return `${state.charAt(0).toUpperCase()}${state.slice(1)}`;
}

function changesOf({ state }: UpgradeRunAnswer): readonly ActionName[] {
  if (state === 'running') return ['pause-upgrades', 'cancel-upgrades'];
  return state === 'paused' ? ['resume-upgrades', 'cancel-upgrades'] : [];
}

function factsOf(run: UpgradeDetailsAnswer): Facts {
  const { canaries, created_at: begun, finished_at: ended } = run;
  return {
    is: 'facts',
    facts: [
      ['Of which instances', filterOf(run)],
      ['At once', cell(text(run.at_once))],
      ['Pauses after', cell(text(count(run.stop_after, 'failure')))],
      ['Canaries', cell(text(canaries), canaries > 0 ? canaryPiece(run) : undefined)],
      ['Started by', cell(text(run.principal))],
      ['Request', cell(code(run.request))],
      ['Begun', cell(moment(begun))],
      ['Ended', cell(moment(ended), soft(between(begun, ended)))],
      ['Carried out by', cell(code(run.holder))],
    ],
  };
}

function canaryPiece({ canaries_passed: passed, approve, watch }: UpgradeRunAnswer): Piece | undefined {
  if (passed) return soft('They are done, and the others have their turn.');
  return soft(
    approve ? 'Then it waits to be resumed.' : `They are watched for ${duration(watch)} before the others.`,
  );
}

function itemTable(items: readonly UpgradeItemAnswer[]): Table {
  const columns = [{ name: 'Instance' }, { name: 'State' }, { name: 'Why' }, { name: 'Operation' }];
  const rows = items.map((one) => [
    cell(code(one.instance_id, instancePath(one.instance_id)), one.canary ? soft('canary') : undefined),
    cell({ text: one.state, tone: one.state === 'waiting' ? 'quiet' : toneOf(one.state) }),
    cell(text(one.reason)),
    cell(
      one.operation_id === undefined ? undefined : code(one.operation_id, operationPath(one.operation_id)),
    ),
  ]);
  return {
    is: 'table',
    label: 'Instances of this run',
    columns,
    rows,
    empty: 'There are no such instances.',
  };
}
