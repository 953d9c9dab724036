// `npm run bench`: every benchmark, one after the other, each printing its table. `npm run bench -- api store` runs some.

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const all = ['cluster', 'runtime', 'api', 'large', 'definitions', 'store', 'scheduler', 'proxy', 'rbac', 'policies', 'webhooks'];
const chosen = process.argv.slice(2);
for (const name of chosen.length > 0 ? chosen : all) {
  const file = join(import.meta.dirname, `${name}.ts`);
  if (!existsSync(file)) {
    if (chosen.length === 0) continue;
    console.error(`there is no benchmark ${name}; known are ${all.join(', ')}`);
    process.exit(2);
  }
  console.log(`\n# ${name}`);
  const { status } = spawnSync(process.execPath, [file], { stdio: 'inherit' });
  if (status !== 0) process.exitCode = 1;
}
