import { createServer } from 'node:net';

/**
 * Can this machine's programs listen there now? Found out by listening; whoever listens already is not disturbed.
 * @throws Error when the address is none of this machine, or listening is not allowed at all
 */
export function isPortFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(false) : reject(error),
    );
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
