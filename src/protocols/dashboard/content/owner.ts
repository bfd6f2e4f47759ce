import type { NamedBackup, OwnedInstance } from '../../../broker/broker.ts';
import { platformOf } from '../../../broker/key.ts';
import type { InstanceDetails } from '../../../broker/operator-view.ts';
import { timelineOf } from '../../pages/content/instance.ts';
import { boundTo } from '../../pages/content/lists.ts';
import type { Facts, PageContent, Section, Table } from '../../pages/content/parts.ts';
import {
  alarming,
  amountOf,
  badge,
  between,
  cell,
  code,
  count,
  moment,
  soft,
  text,
} from '../../pages/content/words.ts';
import { parameterTable } from './parameters.ts';

export interface Owned {
  readonly owned: OwnedInstance;
  readonly details: InstanceDetails;
  readonly backups: readonly NamedBackup[];
}

/** What the owner of an instance may see of it: nothing of where and by whom it is run, and no secret. */
export function ownerPage({ owned, backups, ...given }: Owned): PageContent {
  const details = withoutNode(given.details);
  const { instance, owner, status, state, offering, plan, operations } = details;
  const isTold = status.status !== 'started' && status.reason !== '';
  return {
    title: owner.name ?? platformOf(instance.id).platformId,
    kind: `${offering}, plan ${plan}`,
    below: cell(
      badge(status.status),
      state === 'ready' || state === 'provisioning' ? undefined : badge(state),
      isTold ? soft(status.reason) : undefined,
    ),
    live: true,
    sections: [
      {
        parts: [
          alarming.some((one) => one === status.status) && state === 'ready'
            ? { is: 'text', text: sentence(status.reason), tone: 'warn' }
            : undefined,
          owned.address === undefined
            ? undefined
            : {
                is: 'links',
                label: 'The service itself',
                links: [{ text: 'Open its own page', href: owned.address }],
              },
          factsOf(details),
        ],
      },
      { title: 'Units', parts: [unitTable(details)] },
      { title: 'Parameters', parts: [parameterTable(owned.parameters, owned.schema)] },
      { title: 'Bindings', parts: [bindingTable(details)] },
      ...(owned.hasBackups || backups.length > 0
        ? [{ title: 'Backups', parts: [backupTable(backups)] }]
        : []),
      {
        title: 'What was done',
        note: cell(
          soft(
            operations.length === 0
              ? 'That is forgotten by now.'
              : `The latest ${count(operations.length, 'operation')}, the last one first.`,
          ),
        ),
        parts: [],
      },
      ...operations.map(operationSection),
    ],
  };
}

/** Reasons name the node where it is at fault; owners know it by nothing. */
function withoutNode(details: InstanceDetails): InstanceDetails {
  const { instance, status } = details;
  const names = [instance.place?.node, instance.lost?.node].filter((name) => name !== undefined);
  const told = (reason: string) =>
    names.reduce((text, name) => text.replaceAll(`node ${name}`, 'node'), reason);
  const units = status.units.map((unit) => ({ ...unit, reason: told(unit.reason) }));
  return { ...details, status: { ...status, reason: told(status.reason), units } };
}

function sentence(clause: string): string {
  const whole = `${clause.charAt(0).toUpperCase()}${clause.slice(1)}`;
  return /[.!?]$/.test(whole) ? whole : `${whole}.`;
}

function factsOf({ instance, owner, offering, plan, status, drifted }: InstanceDetails): Facts {
  return {
    is: 'facts',
    facts: [
      ['Id', cell(code(platformOf(instance.id).platformId))],
      ['Service', cell(text(offering))],
      [
        'Plan',
        cell(text(plan), drifted ? soft('It has changed since; an upgrade brings that here.') : undefined),
      ],
      ['Organization', cell(text(owner.organization))],
      ['Space', cell(text(owner.space))],
      ['Addresses', cell(...status.addresses.map((address) => code(address)))],
      ['Made', cell(moment(instance.createdAt.toISOString()))],
      ['Last changed', cell(moment(instance.updatedAt.toISOString()))],
      ['Last looked at', cell(moment(status.checkedAt))],
    ],
  };
}

function unitTable({ status: { units } }: InstanceDetails): Table {
  const columns = [{ name: 'Unit' }, { name: 'Status' }, { name: 'Why' }, { name: 'Since (UTC)' }];
  const rows = units.map(({ unit, status, reason, since }) => [
    cell(text(unit)),
    cell(badge(status)),
    cell(text(reason)),
    cell(moment(since)),
  ]);
  return { is: 'table', label: 'Units', columns, rows, empty: 'Nothing of it runs by itself.' };
}

function bindingTable({ bound }: InstanceDetails): Table {
  const columns = [
    { name: 'Binding' },
    { name: 'State' },
    { name: 'Bound' },
    { name: 'Made (UTC)' },
    { name: 'Expires (UTC)' },
  ];
  const rows = bound
    // That of another instance of its own is not its owner's.
    .filter(({ binding }) => binding.dependent === undefined)
    .map(({ binding, state, operation }) => [
      cell(code(binding.id), soft(operation?.note)),
      cell(badge(state)),
      boundTo({ app_guid: binding.appGuid, route: binding.route, context: textsIn(binding.context) }),
      cell(moment(binding.createdAt.toISOString())),
      cell(moment(binding.expiresAt?.toISOString())),
    ]);
  return { is: 'table', label: 'Bindings', columns, rows, empty: 'It has no bindings.' };
}

function textsIn(context: object): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(context).filter(([, value]) => typeof value === 'string'));
}

function backupTable(backups: readonly NamedBackup[]): Table {
  const columns = [
    { name: 'Made (UTC)' },
    { name: 'Plan' },
    { name: 'Size', number: true },
    { name: 'Backup' },
  ];
  const rows = backups.map(({ createdAt, plan, stored, id, removing }) => [
    cell(moment(createdAt.toISOString())),
    cell(text(plan)),
    cell(text(sizeOf(stored.size))),
    cell(code(id), removing ? soft('it is being removed') : undefined),
  ]);
  return {
    is: 'table',
    label: 'Backups',
    columns,
    rows,
    empty: 'There are none yet; its operator makes them.',
  };
}

const sizes = [
  ['GB', 1e9],
  ['MB', 1e6],
  ['kB', 1e3],
] as const;

function sizeOf(bytes: number): string {
  const [unit, length] = sizes.find(([, one]) => bytes >= one) ?? ['bytes', 1];
  return `${amountOf(bytes / length)} ${unit}`;
}

function operationSection({ operation, timeline }: InstanceDetails['operations'][number]): Section {
  const { kind, action = kind, state, failure, note, createdAt, finishedAt } = operation;
  const begun = createdAt.toISOString();
  const took = between(begun, finishedAt?.toISOString());
  const steps = timeline.map(({ endedAt, ...step }) => ({ ...step, ended_at: endedAt.toISOString() }));
  const said = failure?.sentence ?? (state === 'in progress' ? note : undefined);
  return {
    title: action,
    sub: true,
    note: cell(badge(state), moment(begun), soft(took && `took ${took}`)),
    parts: [
      said === undefined ? undefined : { is: 'text', text: said, tone: failure ? 'bad' : 'warn' },
      timelineOf(kind, steps),
    ],
  };
}
