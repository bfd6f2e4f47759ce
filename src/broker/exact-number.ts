/**
 * Does the number of a JSON text stay what it is? Numbers here are doubles: 9007199254740993 would become ...992,
 * 1e-400 nothing and 1e400 infinite.
 */
export function isExact(text: string): boolean {
  const value = Number(text);
  return Number.isFinite(value) && sameDecimal(text, String(value));
}

function sameDecimal(a: string, b: string): boolean {
  const [first, second] = [decimalOf(a), decimalOf(b)];
  return first.digits === second.digits && (first.digits === '' || first.exponent === second.exponent);
}

/** The digits without zeros around them, as a whole number, and the power of ten that belongs to it. */
function decimalOf(text: string): { readonly digits: string; readonly exponent: number } {
  const [, whole = '', fraction = '', power = '0'] = /^[-+]?(\d*)\.?(\d*)(?:e([-+]?\d+))?$/i.exec(text) ?? [];
  const digits = `${whole}${fraction}`.replace(/^0+/, '');
  const trimmed = withoutZeros(digits);
  return { digits: trimmed, exponent: Number(power) - fraction.length + digits.length - trimmed.length };
}

/** Linear, unlike /0+$/, which begins anew at each zero. */
function withoutZeros(digits: string): string {
  let end = digits.length;
  while (digits[end - 1] === '0') end -= 1;
  return digits.slice(0, end);
}
