/** A password: as it is, and as a shell gets it from where it lies, so that no command that is shown holds it. */
export interface Password {
  readonly value: string;
  /** In double quotes. */
  readonly inShell: string;
}

/** @param given the value of the variable, where it has one; else it lies in the file */
export function passwordIn(
  value: string,
  given: string | undefined,
  { variable, file }: { readonly variable: string; readonly file: string },
): Password {
  return { value, inShell: given === undefined ? `"$(cat ${shellWord(file)})"` : `"$${variable}"` };
}

/** One word of a shell, whatever is in it. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
