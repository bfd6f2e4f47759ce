/** Running things for years. */
export const runningMeanings: Readonly<Record<string, string>> = {
  limits:
    "What an instance may take at most; in a plan each limit counts by itself in place of the offering's. Templates may use what the plan fixes",
  'limits.memory':
    'Of all its processes together. Where only single processes can be limited, of the data of each, with 64MB more for stacks',
  'limits.cpu': 'Cores: 0.5 is half of the time of one',
  'limits.pids': 'Processes and threads',
  'limits.files': 'Files that each process may have open',
  'limits.disk':
    'What its directory may hold, measured beside the looks: over it the instance ends, as said in [Status of units](lifecycle.md#status-of-units); from nine tenths it is warned. No single file grows beyond it',
  timeouts: 'How long each moment may take',
  'timeouts.<moment>': 'For one moment',
  monitor: 'How it is watched',
  'monitor.every': 'Between two looks',
  'monitor.restart': 'How often a unit without a living process is started again (0: never) ...',
  'monitor.within': '... in this time, before it is left alone',
  'monitor.restart_on': 'For what a unit that lives is asked to end and started again as well, see below',
  hooks: 'Programs of your own, see below',
  'hooks.<moment>': 'At one moment',
  'hooks.<moment>.run':
    'The program and its arguments, never shell text. A program with `/` in its name lies beside the offering file, which its path may not leave; any other is looked up in PATH. Arguments may hold templates, but no secrets',
  'hooks.<moment>.env': 'Variables of its environment; they may hold templates, also with secrets',
  'hooks.<moment>.once':
    "Once in an instance's life, not again on retry, update or restart; not for once_ready, which is so by itself",
  'hooks.<moment>.timeout': 'Then it is ended; as long as its moment may take when it does not say',
  actions:
    'What operators can have done with an instance beside what all offerings have, by name; the hook action does it. See [Actions](#actions)',
  'actions.<name>.description': 'What it comes to, a sentence for operators',
  'actions.<name>.renews': 'The secrets of the instance that it exchanges for new ones',
  'actions.<name>.parameters': 'What it can be told, in the short form of `parameters`',
  prove: 'What proves a binding, see below',
  'prove.run': 'The program and its arguments, as with hooks; no templates',
  'prove.env': 'Variables of its environment; they may hold `{{credentials.x}}`',
  'prove.revoked':
    'Must it fail when the binding is gone? false where all bindings are given the same login or path',
  'prove.timeout': 'Then it is ended, and proves nothing',
  requires_offerings: 'Other offerings it needs, `{{deps.x}}` in templates, see below',
  'requires_offerings.<name>.offering': "The other offering's name",
  'requires_offerings.<name>.plan': 'The plan of an instance of its own ...',
  'requires_offerings.<name>.instance': '... or the id of a shared instance that exists',
  'requires_offerings.<name>.parameters':
    'Parameters of an instance of its own; they may hold templates, but nothing that is known only when the instance is made',
  max_instances: 'How many instances there may be',
  quota:
    'How many instances there may be for each of whom: `total`, `platform`, `organization`, `space`; of a plan, those of this plan. See below',
  'quota.<name>.instances': 'How many',
  backup:
    'Backups that nobody has to ask for; of a plan, each key by itself in place of the one of the offering. See [Backups](#backups)',
  'backup.every': 'Between two backups of an instance, 1m or more, reckoned from when it was made',
  'backup.keep': 'What stays of them; those that somebody has asked for stay until somebody removes them',
  'backup.keep.count': 'The latest ones of each instance',
  'backup.keep.for': 'For so long; of an instance that is there the latest one stays in any case',
  'quota.<name>.cost':
    'What their `cost` comes to together; only what is made on nodes costs something, and is refused elsewhere',
};
