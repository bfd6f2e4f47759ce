/** What each key of `config` means, by its path. */
export const meanings: Readonly<Record<string, string>> = {
  'config.needs':
    'Executables without which a node does not get instances. Only `{{plan.x}}` can be used here',
  'config.ports': 'Each instance gets a port of its node for each name, `{{ports.<name>}}`',
};
