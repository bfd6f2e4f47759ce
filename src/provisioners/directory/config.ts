import type { JsonObject } from '../../broker/json.ts';
import type { Work } from '../../broker/provisioner.ts';
import { render } from '../../broker/template.ts';

/** What an offering file says of its directories, for one instance. */
export interface DirectoryConfig {
  /** Where they are made, in turn; none: in the node's own directory. */
  readonly roots: readonly string[];
  /** Of what the applications see. */
  readonly mode: number;
  /** Absent: as much as there is. */
  readonly quotaMb?: number;
}

export const configSchema: JsonObject = {
  type: 'object',
  additionalProperties: false,
  properties: {
    roots: {
      type: 'array',
      minItems: 1,
      uniqueItems: true,
      items: { type: 'string', pattern: '^/[^\\u0000-\\u001f]*$', title: 'an absolute path' },
    },
    mode: { type: 'string', pattern: '^[0-7]?[0-7]{3}$', title: 'an octal mode such as "0770"' },
    quota_mb: { type: 'number', exclusiveMinimum: 0 },
  },
};

/** @throws TemplateError when a value is missing */
export function configOf({ plan, values }: Work): DirectoryConfig {
  const { roots = [], mode, quota_mb: quota } = render(plan.making.config, values) as JsonObject;
  return {
    roots: roots as readonly string[],
    mode: typeof mode === 'string' ? Number.parseInt(mode, 8) : 0o770,
    quotaMb: typeof quota === 'number' ? quota : undefined,
  };
}
