import { runProgram } from '../support/run-program.ts';

test('With --json the command config gives name, value and meaning of each option', async () => {
  const { code, output } = await runProgram(['config', '--json'], { BROKER_PASSWORD: 'canary-9c1' }).ended;
  expect(code).toBe(0);
  expect(JSON.parse(output)).toContainEqual({
    name: 'BROKER_PASSWORD',
    value: 'set',
    meaning: expect.stringContaining(' '),
  });
  expect(output).not.toContain('canary');
});

test('The command config shows every option as it is now, and of secrets only whether they are set', async () => {
  const env = { PORT: '1234', BROKER_PASSWORD: 'canary-9c1', DATABASE_URL: 'postgres://u:canary-9c1@h/d' };
  const { code, output, errors } = await runProgram(['config'], env).ended;
  expect({ code, errors }).toEqual({ code: 0, errors: '' });
  expect(output).toMatch(/^PORT +1234$/m);
  expect(output).toMatch(/^LEASE +15s$/m);
  expect(output).toMatch(/^BROKER_PASSWORD +set$/m);
  expect(output).toMatch(/^ENCRYPTION_KEYS +not set$/m);
  expect(output).not.toContain('canary');
});
