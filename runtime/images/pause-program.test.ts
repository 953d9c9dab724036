import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { platform } from 'node:process';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { machineArchitecture } from './build-image.ts';
import { pauseProgram } from './pause-program.ts';

const skip = platform === 'linux' ? false : 'needs Linux to run a Linux program';
let directory: string;
let program: string;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pause-'));
  program = join(directory, 'pause');
  if (skip) return;
  await writeFile(program, pauseProgram(machineArchitecture()));
  await chmod(program, 0o755);
});
after(() => rm(directory, { recursive: true, force: true }));

/** Resolves once it ignores SIGCHLD and sleeps: from then on it is waiting. */
async function untilWaiting(child: ChildProcess): Promise<void> {
  for (let turn = 0; turn < 500; turn++) {
    const status = await readFile(`/proc/${child.pid}/status`, 'utf8');
    const ignored = BigInt(`0x${/^SigIgn:\s*(\w+)$/m.exec(status)?.[1] ?? '0'}`);
    if (ignored & (1n << 16n) && /^State:\s*S/m.test(status)) return;
    await delay(5);
  }
  assert.fail(`process ${child.pid} does not wait`);
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`the pause program ends with 0 on ${signal}`, { skip }, async () => {
    const child = spawn(program);
    await untilWaiting(child);
    const ended = once(child, 'exit');
    child.kill(signal);
    assert.deepEqual(await ended, [0, null]);
  });
}

test('the pause program waits on through other signals it does not know', { skip }, async () => {
  const child = spawn(program);
  await untilWaiting(child);
  // Stopping and continuing interrupts the wait, which must begin again.
  child.kill('SIGSTOP');
  child.kill('SIGCONT');
  await untilWaiting(child);
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  assert.deepEqual(await ended, [0, null]);
});

// Taken apart by a disassembler once, instruction by instruction; a change must be taken apart again.
test('both architectures assemble to the instructions that were looked at', () => {
  const code = (architecture: 'amd64' | 'arm64') => pauseProgram(architecture).subarray(120, -40).toString('hex');
  assert.equal(
    code('amd64'),
    'b80d000000bf11000000488d354f00000031d241ba080000000f05' +
      'b80e000000bf00000000488d355400000031d241ba080000000f05' +
      'b880000000488d3d3e00000031f631d241ba080000000f05' +
      '85c07ee4' +
      'b8e7000000bf000000000f05' +
      '0000',
  );
  assert.equal(
    code('arm64'),
    'c81080d2200280d2c1020010020080d2030180d2010000d4' +
      'e81080d2000080d201030010020080d2030180d2010000d4' +
      '281180d260020010010080d2020080d2030180d2010000d4' +
      '1f0000712dffff54' +
      'c80b80d2000080d2010000d4' +
      '00000000',
  );
});

test('the executable says what it is: 64-bit, static, one segment that may not be written', () => {
  for (const [architecture, machine] of [
    ['amd64', 62],
    ['arm64', 183],
  ] as const) {
    const bytes = pauseProgram(architecture);
    assert.equal(bytes.subarray(0, 4).toString('latin1'), '\x7fELF');
    assert.equal(bytes.readUInt16LE(18), machine);
    assert.equal(bytes.readUInt16LE(56), 1);
    assert.equal(bytes.readUInt32LE(68), 5);
    assert.equal(bytes.readBigUInt64LE(96), BigInt(bytes.length));
  }
});
