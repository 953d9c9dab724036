// `npm test`: formatting and lint, types, the table of rooms, then unit, contract and end-to-end tests, each phase with
// its time, and at the end the count of all tests. Stops at the first phase that fails.
//
//   node tools/test.ts [PHASE...]    one or more of format, types, rooms, unit, e2e

import { spawn } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';

interface Phase {
  name: string;
  command: string[];
  countsTests?: boolean;
}

const unitRooms = [
  'base',
  'api',
  'store',
  'apiserver',
  'client',
  'controller',
  'scheduler',
  'runtime',
  'kubelet',
  'proxy',
  'kubectl',
  't8s',
  'testing',
  'tools',
];
const filesOf = (rooms: string[]) => rooms.flatMap((room) => globSync(`${room}/**/*.test.ts`)).sort();
const testCommand = (files: string[], concurrency: number) => [
  'node',
  '--test',
  `--test-concurrency=${concurrency}`,
  '--test-reporter=spec',
  '--test-timeout=600000',
  ...files,
];

const phases: Phase[] = [
  { name: 'format', command: ['biome', 'check', '--error-on-warnings', '.'] },
  { name: 'types', command: ['tsc', '-p', '.'] },
  { name: 'rooms', command: ['node', 'tools/check-imports.ts'] },
  { name: 'unit', command: testCommand(filesOf(unitRooms), 2), countsTests: true },
  // One at a time: each starts clusters of its own, and two cores are few.
  { name: 'e2e', command: testCommand(filesOf(['e2e']), 1), countsTests: true },
];

const chosen = process.argv.slice(2);
for (const name of chosen) {
  if (!phases.some((phase) => phase.name === name)) {
    console.error(`unknown phase ${name}; known are ${phases.map((phase) => phase.name).join(', ')}`);
    process.exit(2);
  }
}
const counts = { passed: 0, failed: 0, skipped: 0 };
for (const phase of phases) {
  if (chosen.length > 0 && !chosen.includes(phase.name)) continue;
  const startMs = performance.now();
  const status = await run(phase);
  console.log(`${status === 0 ? 'ok  ' : 'FAIL'} ${phase.name.padEnd(8)} ${((performance.now() - startMs) / 1000).toFixed(1)} s`);
  if (status !== 0) {
    printCounts();
    process.exit(1);
  }
}
printCounts();

function run(phase: Phase): Promise<number> {
  const [program = '', ...args] = phase.command;
  const local = `node_modules/.bin/${program}`;
  const path = `${process.cwd()}/node_modules/.bin:${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`;
  const child = spawn(existsSync(local) ? local : program, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, PATH: path },
  });
  return new Promise((resolve, reject) => {
    let tail = '';
    child.stdout.setEncoding('utf8');
    child.stdout.on('data', (chunk: string) => {
      process.stdout.write(chunk);
      if (phase.countsTests) tail = (tail + chunk).slice(-4000);
    });
    child.on('error', reject);
    child.on('close', (code) => {
      const count = (word: string) => Number(new RegExp(`^ℹ ${word} (\\d+)$`, 'm').exec(tail)?.[1] ?? 0);
      counts.passed += count('pass');
      counts.failed += count('fail') + count('cancelled');
      counts.skipped += count('skipped') + count('todo');
      resolve(code ?? 1);
    });
  });
}

function printCounts(): void {
  console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
}
