import type { OperatorVerb } from '../../operator/routes.ts';
import { pathTo } from '../paths.ts';
import type { Links, Piece } from './parts.ts';

/** What an action is done to, as the query has it. */
export type Target = Readonly<
  Partial<
    Record<
      'instance' | 'binding' | 'operation' | 'node' | 'provisioner' | 'name' | 'run' | 'authority' | 'action',
      string
    >
  >
>;

export interface Action {
  readonly verb: OperatorVerb;
  readonly label: string;
  /** What it comes to, for who is asked whether it is meant. */
  readonly says: string;
  /** Something is gone then. */
  readonly danger?: boolean;
  /** What of the target is to be typed once more. */
  readonly confirms?: 'instance' | 'binding';
  /** What else its form asks for. */
  readonly asks?: readonly Question[];
}

interface Question {
  readonly name: string;
  readonly label: string;
  readonly usual?: string;
  readonly optional?: boolean;
}

/** By their names in addresses. */
export const actions = {
  start: { verb: 'instances start', label: 'Start', says: 'Its units are started.' },
  stop: {
    verb: 'instances stop',
    label: 'Stop',
    says: 'Its units are stopped, and applications find nobody there. Its data stays.',
  },
  restart: {
    verb: 'instances restart',
    label: 'Restart',
    says: 'Its units are stopped and started: applications lose their connections.',
  },
  upgrade: {
    verb: 'instances upgrade',
    label: 'Upgrade',
    says: 'It becomes what its plan is now; its parameters stay. Its units may be started anew.',
  },
  'back-up': {
    verb: 'backups create',
    label: 'Back up',
    says: 'What it holds is saved while it goes on, where its offering says how. Binds wait until that has ended.',
  },
  recreate: {
    verb: 'instances recreate',
    label: 'Make anew',
    says: 'It was lost with its node. It is made anew, empty, with new credentials.',
    danger: true,
  },
  delete: {
    verb: 'instances delete',
    label: 'Delete',
    says: 'It is deleted with its data and its bindings, whatever its platform knows of it. Nobody can undo that.',
    danger: true,
    confirms: 'instance',
  },
  'force-delete': {
    verb: 'instances force-delete',
    label: 'Force delete',
    says: 'What can be deleted of it is deleted, the rest is left where it is, and the instance is forgotten. Nobody can undo that.',
    danger: true,
    confirms: 'instance',
  },
  undelete: {
    verb: 'instances undelete',
    label: 'Undelete',
    says: 'It is brought back and started. Its bindings are gone, and its platform has to be told of it.',
  },
  protect: {
    verb: 'instances protect',
    label: 'Protect',
    says: 'Nobody can delete it until that is taken away: not its platform, and no operator.',
  },
  unprotect: {
    verb: 'instances unprotect',
    label: 'End protection',
    says: 'Its platform and operators can delete it again.',
    danger: true,
  },
  purge: {
    verb: 'instances purge',
    label: 'Purge',
    says: 'It is forgotten, with its bindings, and nothing of it is removed: what runs goes on, and nobody looks after it.',
    danger: true,
    confirms: 'instance',
  },
  unbind: {
    verb: 'instances unbind',
    label: 'Unbind',
    says: 'The binding is removed and its credentials work no more, whatever its platform knows of it.',
    danger: true,
  },
  'purge-binding': {
    verb: 'instances purge-binding',
    label: 'Purge',
    says: 'The binding is forgotten and nothing is revoked: its credentials may work on.',
    danger: true,
    confirms: 'binding',
  },
  declared: {
    verb: 'instances action',
    label: 'Do it',
    says: 'What the offering declares under this name is done with the instance. Binds wait until that has ended.',
    danger: true,
    asks: [{ name: 'parameters', label: 'Parameters, as a JSON object', usual: '{}' }],
  },
  retry: { verb: 'operations retry', label: 'Retry', says: 'What has failed is asked for once more.' },
  cancel: {
    verb: 'operations cancel',
    label: 'Cancel',
    says: 'The operation ends as failed, and what it has done is undone.',
    danger: true,
  },
  drain: {
    verb: 'nodes drain',
    label: 'Drain',
    says: 'The node takes no new instances. Those that it has stay.',
  },
  undrain: { verb: 'nodes undrain', label: 'End draining', says: 'The node takes new instances again.' },
  forget: {
    verb: 'nodes forget',
    label: 'Forget',
    says: 'The node is removed from the list. That is refused as long as it lives or has instances.',
    danger: true,
  },
  abandon: {
    verb: 'nodes abandon',
    label: 'Abandon',
    says: 'The node is given up with all that it has: its instances can only be deleted, or made anew.',
    danger: true,
  },
  'pause-upgrades': {
    verb: 'upgrades pause',
    label: 'Pause',
    says: 'No more of them are begun until it is resumed. What has begun goes on to its end.',
  },
  'resume-upgrades': {
    verb: 'upgrades resume',
    label: 'Resume',
    says: 'It goes on, whatever has paused it.',
  },
  'cancel-upgrades': {
    verb: 'upgrades cancel',
    label: 'Cancel',
    says: 'No more of them are begun, and it cannot be resumed. What has begun goes on to its end.',
    danger: true,
  },
  'renew-authority': {
    verb: 'authorities renew',
    label: 'Renew',
    says: 'New bindings are told of it at once. Until it signs, applications have time to be bound again, for those that were bound before do not trust it.',
    asks: [{ name: 'signs_after', label: 'Days until it signs', usual: '30' }],
  },
  adopt: {
    verb: 'instances adopt',
    label: 'Adopt',
    says: 'An instance is made of the thing, with whatever is in it. From then on it is bound, and deleted, as any other.',
    asks: [
      { name: 'id', label: 'The id of the instance' },
      { name: 'offering', label: 'Offering' },
      { name: 'plan', label: 'Plan' },
      { name: 'organization_guid', label: 'Organization, by its id', optional: true },
      { name: 'space_guid', label: 'Space, by its id', optional: true },
    ],
  },
  'remove-orphan': {
    verb: 'orphans remove',
    label: 'Remove',
    says: 'The thing is removed at the next look, with whatever is in it. Nobody can undo that.',
    danger: true,
  },
} as const satisfies Readonly<Record<string, Action>>;

export type ActionName = keyof typeof actions;

export function isAction(name: string): name is ActionName {
  return Object.hasOwn(actions, name);
}

/** Where it is asked whether it is meant. */
export function actionPath(name: ActionName, target: Target): string {
  return pathTo('action', { do: name, ...target });
}

/** Undefined for who may only read, and where there is nothing to be done. */
export function actionLinks(
  mayAct: boolean,
  names: readonly ActionName[],
  target: Target,
): Links | undefined {
  if (!mayAct || names.length === 0) return undefined;
  const links = names.map((name) => {
    const { label, danger }: Action = actions[name];
    return { text: label, href: actionPath(name, target), danger: danger ?? false };
  });
  return { is: 'links', label: 'Actions', links };
}

/** The same in a row of a table. */
export function actionPieces(
  mayAct: boolean,
  names: readonly ActionName[],
  target: Target,
): readonly Piece[] {
  return mayAct ? names.map((name) => ({ text: actions[name].label, href: actionPath(name, target) })) : [];
}
