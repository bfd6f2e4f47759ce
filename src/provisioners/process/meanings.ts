/** What each key of `config` means, by its path. */
export const meanings: Readonly<Record<string, string>> = {
  'config.needs':
    'Without these on its PATH a node does not get instances. Only `{{plan.x}}` can be used here',
  'config.ports':
    'Each instance gets a free port of its node for each name, `{{ports.<name>}}`, and keeps it',
  'config.files':
    'Files below `{{dir.conf}}`, by their path there. A value with a control character is refused, see "Templates"',
  'config.files.<name>.content': 'The text, when there is a mode to say',
  'config.files.<name>.mode': 'Its permissions; 0600 unless something is said',
  'config.files.<name>.tls': 'What follows the content where the plan has TLS',
  'config.files.<name>.plain': 'What follows it where the plan has none',
  'config.files.<name>.keep':
    'Written once and then left alone, for a file that the program itself writes from then on',
  'config.processes': 'The units',
  'config.processes.<name>.run':
    'The program and its arguments, never shell text. Secrets may not stand here',
  'config.processes.<name>.order':
    'Smaller numbers are ready before greater ones are started, and are ended after them',
  'config.processes.<name>.env':
    'Its environment, beside PATH, LANG, HOME, PURVEYOR_INSTANCE and PURVEYOR_UNIT; secrets may stand here',
  'config.processes.<name>.cwd': 'Where it is started: one of the directories of `{{dir.x}}`',
  'config.processes.<name>.ready':
    'When it counts as ready. Without a rule, the only unit is asked at the first port; a unit that cannot be asked is ready when it runs',
  'config.processes.<name>.ready.port':
    'The port that is asked, at the address that applications use; alone, being let in is enough',
  'config.processes.<name>.ready.send': 'What is sent',
  'config.processes.<name>.ready.expect': 'What the answer must hold, somewhere in it',
  'config.processes.<name>.ready.http': 'The path that is fetched by HTTP',
  'config.processes.<name>.ready.status': 'The status that the answer must have',
  'config.processes.<name>.ready.headers': 'Headers of the request; secrets may stand here',
  'config.processes.<name>.ready.command':
    "A program that ends with 0 when the unit is ready, in the unit's directory and environment. Secrets may not stand here",
  'config.processes.<name>.ready.tls':
    'With false the port is asked without TLS also where the plan has it. For a service that begins in the clear: what is said then',
  'config.processes.<name>.ready.tls.send': 'What is sent in the clear',
  'config.processes.<name>.ready.tls.expect': 'How the last answer in the clear ends',
  'config.processes.<name>.renewal': 'What makes it read a new certificate, see [TLS](#tls)',
  'config.processes.<name>.renewal.port': 'The port',
  'config.processes.<name>.renewal.send': 'What is sent',
  'config.processes.<name>.renewal.expect': 'What the answer must hold; it is said again until it does',
  'config.processes.<name>.renewal.tls': 'As for `ready`',
  'config.processes.<name>.renewal.tls.send': 'As for `ready`',
  'config.processes.<name>.renewal.tls.expect': 'As for `ready`',
  'config.processes.<name>.stop': 'How it is asked to end',
  'config.processes.<name>.stop.signal': 'The signal',
  'config.processes.<name>.log':
    'The log of a program that writes its own; what others write to standard output and error is kept there by itself',
  'config.bind':
    'What is said for each new binding, one connection after another. `{{binding.x}}` and secrets per binding can be used',
  'config.bind[].port': 'The port',
  'config.bind[].send': 'What is sent',
  'config.bind[].expect': 'What the answer must hold; anything else and the bind has failed',
  'config.bind[].tls': 'As for `ready`',
  'config.bind[].tls.send': 'As for `ready`',
  'config.bind[].tls.expect': 'As for `ready`',
  'config.unbind': 'The same when a binding goes',
  'config.unbind[].port': 'The port',
  'config.unbind[].send': 'What is sent',
  'config.unbind[].expect': 'What the answer must hold',
  'config.unbind[].tls': 'As for `ready`',
  'config.unbind[].tls.send': 'As for `ready`',
  'config.unbind[].tls.expect': 'As for `ready`',
};
