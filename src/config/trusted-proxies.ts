import { isIP } from 'node:net';
import { type Kind, WrongValue } from './kinds.ts';

/** Which proxies in front tell the caller's address truly: how many of them there are, or where they are. */
export function trustedProxies(): Kind<number | string> {
  return { read: requireProxies };
}

const mostProxies = 100;
const known = ['loopback', 'linklocal', 'uniquelocal'];

function requireProxies(value: string): number | string {
  if (/^\d{1,3}$/.test(value) && Number(value) <= mostProxies) return Number(value);
  const places = value.split(',').map((place) => place.trim());
  if (places.every(isPlace)) return places.join(', ');
  throw new WrongValue(
    `must be the number of proxies in front, or their addresses separated by commas, as 10.1.2.3, 10.0.0.0/8 or ${known.join(', ')}`,
  );
}

function isPlace(place: string): boolean {
  const [address = '', bits, ...more] = place.split('/');
  const family = isIP(address);
  if (known.includes(place)) return true;
  if (family === 0 || more.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
}
