/** What each key of `config` means, by its path. */
export const meanings: Readonly<Record<string, string>> = {
  'config.answer': 'The message as it was, which is the default, or a text turned round',
};
