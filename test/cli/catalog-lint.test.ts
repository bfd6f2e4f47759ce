import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runProgram } from '../support/run-program.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';

test('The shipped catalogs are good', async () => {
  const { code, output, errors } = await runProgram(['catalog', 'lint', 'catalog', 'catalog/trial']).ended;
  expect({ code, errors }).toEqual({ code: 0, errors: '' });
  expect(output).toMatch(/^The catalog is good: \d+ services, \d+ plans\.$/m);
});

test('Without directories catalog lint looks at CATALOG_DIR', async () => {
  const { code, output } = await runProgram(['catalog', 'lint'], { CATALOG_DIR: '/no/such/place' }).ended;
  expect(code).toBe(1);
  expect(output).toBe('/no/such/place: The directory does not exist.\n');
});

test('Every mistake that catalog lint finds is a line of file, line, column, path and reason, and the exit code is 1', async () => {
  const directory = scratchDirectory('lint');
  const offering = { id: 'a', name: 'a', description: 'a', provisioner: 'nobody', plans: [{ id: 'p' }] };
  writeFileSync(join(directory, 'a.json'), JSON.stringify(offering));
  writeFileSync(join(directory, 'b.yaml'), 'id: [');
  const { code, output } = await runProgram(['catalog', 'lint', directory]).ended;
  expect(code).toBe(1);
  expect(output).toMatch(/\/a\.json:1:\d+: plans\[0\]\.name: The key is missing/);
  expect(output).toMatch(/\/a\.json:1:\d+: provisioner: /);
  expect(output).toMatch(/\/b\.yaml:1:6: /);
  expect(output).not.toContain('The catalog is good');
});
