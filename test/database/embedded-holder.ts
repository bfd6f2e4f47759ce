// A broker reduced to its database: starts it, says where it is, and uses it until it is killed.
import { startEmbedded } from '../../src/database/embedded.ts';

process.on('SIGINT', () => console.log('interrupted'));
const { url } = await startEmbedded({ dataDir: process.argv[2]!, note: () => {} });
console.log(url);
