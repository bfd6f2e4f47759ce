import { anOffering } from './folder.ts';

export function aRunner(changes: object = {}) {
  return anOffering({ provisioner: 'runner', ...changes });
}
