import { errorReply } from '../operator/errors.ts';
import { requireMayChange, type OperatorHandlers } from '../operator/index.ts';
import type { ForceDeleteAnswer } from '../operator/wire/operations.ts';
import { BadCall, type Call, type Reply, type Route } from '../protocol.ts';
import { replyTo } from './ask.ts';
import { type Action, actions, isAction, type Target } from './content/actions.ts';
import { askedOf } from './content/asked-of.ts';
import type { Confirmation, PageContent, Part } from './content/parts.ts';
import { cell, code } from './content/words.ts';
import { instancePath, operationPath, pathTo, upgradePath } from './paths.ts';
import { openSession, requireOwnForm } from './session.ts';
import { show } from './show.ts';

interface Acting {
  readonly on: OperatorHandlers;
  /** Is the broker reached by TLS alone? */
  readonly isSecure: () => boolean;
}

const path = pathTo('action');

/** One page asks whether it is meant, and its form has it done: without a script, and not by mistake. */
export function actionRoutes({ on, isSecure }: Acting): readonly Route[] {
  function confirm(call: Call, refused?: Reply & { readonly body: { readonly description: string } }): Reply {
    const { token, headers } = openSession(call, isSecure());
    const more: readonly Part[] = refused
      ? [{ is: 'text', text: refused.body.description, tone: 'bad' }]
      : [];
    return show(call, confirmationPage(call, more), { status: refused?.status, headers, token });
  }
  return [
    {
      method: 'GET',
      path,
      handler(call) {
        requireMayChange({ ...call, method: 'POST' });
        return confirm(call);
      },
    },
    {
      method: 'POST',
      path,
      body: 'form or json',
      async handler(call) {
        const form = call.body instanceof URLSearchParams ? call.body : new URLSearchParams();
        requireOwnForm(call, form.get('token'));
        const { action, target } = readAsked(call);
        try {
          return ended(call, target, await replyTo(on, call, action.verb, askedOf(action, target, form)));
        } catch (error) {
          const refused = errorReply(error);
          if (refused.status >= 500) throw error;
          return confirm(call, refused);
        }
      },
    },
  ];
}

function readAsked({ query }: Call): { readonly action: Action; readonly target: Target } {
  const { do: name = '', ...target } = Object.fromEntries(query);
  if (!isAction(name)) throw new BadCall(404, 'There is no such action.');
  return { action: actions[name], target };
}

function confirmationPage(call: Call, more: readonly Part[]): PageContent {
  const { action, target } = readAsked(call);
  const { label, says, danger = false } = action;
  const confirmation: Confirmation = {
    is: 'confirmation',
    button: label,
    danger,
    back: backFrom(target),
    fields: fieldsOf(action),
  };
  return {
    title: `${label}?`,
    below: cell(...Object.values(target).map((one) => code(one))),
    sections: [{ parts: [...more, { is: 'text', text: says }, confirmation] }],
  };
}

function fieldsOf({ confirms, asks = [] }: Action): Confirmation['fields'] {
  const text = { kind: 'text', required: true } as const;
  return [
    ...(confirms
      ? [{ ...text, name: 'confirm', label: `The id of the ${confirms} once more`, value: '' }]
      : []),
    ...asks.map(({ name, label, usual = '', optional = false }) => ({
      kind: 'text' as const,
      required: !optional,
      name,
      label,
      value: usual,
    })),
  ];
}

function backFrom({ instance, operation, node, name, run, authority }: Target): string {
  if (run !== undefined) return upgradePath(run);
  if (authority !== undefined) return pathTo('authorities');
  if (instance !== undefined) return instancePath(instance);
  if (operation !== undefined) return operationPath(operation);
  if (name !== undefined) return pathTo('orphans');
  return node === undefined ? pathTo('') : pathTo('nodes');
}

/** To what has begun; or what is left behind of what is forgotten. */
function ended(call: Call, target: Target, { body }: Reply): Reply {
  const { operation, left } = body as ForceDeleteAnswer;
  if (operation) return goTo(operationPath(operation.id));
  if (!left) return goTo(`${backFrom(target)}${backFrom(target).includes('?') ? '&' : '?'}told=done`);
  const parts: Part[] = [
    { is: 'text', text: 'It is forgotten.', tone: 'good' },
    ...left.map((sentence): Part => ({ is: 'text', text: `Still there: ${sentence}`, tone: 'warn' })),
    { is: 'links', label: 'Back', links: [{ text: 'Instances', href: pathTo('instances') }] },
  ];
  return show(call, {
    title: 'Done',
    below: cell(...Object.values(target).map((one) => code(one))),
    sections: [{ parts }],
  });
}

function goTo(location: string): Reply {
  return { status: 303, headers: { location } };
}
