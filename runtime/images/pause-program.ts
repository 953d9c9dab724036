// The program of our pause image: a static ELF of a few dozen instructions, assembled here so that no compiler and no registry
// is needed. It holds a pod's namespaces; with a shared pid namespace it is pid 1 and must reap orphans and still end at once.
//
// It ignores SIGCHLD, upon which the kernel reaps every child, adopted ones too (sigaction(2), SA_NOCLDWAIT). It blocks SIGTERM
// and SIGINT and waits for one with rt_sigtimedwait: the kernel drops a signal with the default action sent to pid 1, except
// while it is blocked, when it is queued. So no handler, no restorer and no stack are needed. Then it exits with 0.

export type Architecture = 'amd64' | 'arm64';

/** The bytes of the executable. */
export function pauseProgram(architecture: Architecture): Buffer {
  const data = pauseData();
  return architecture === 'amd64' ? elf(machines.amd64, amd64Code(data)) : elf(machines.arm64, arm64Code(data));
}

/** The kernel's `struct sigaction` (handler, flags, restorer, mask) with SIG_IGN, then a signal set. 64-bit little-endian words. */
interface Data {
  bytes: Buffer;
  ignoreOffset: number;
  signalsOffset: number;
}

const SIGINT = 2;
const SIGTERM = 15;
const SIGCHLD = 17;
const SIG_IGN = 1;
const signalSetBytes = 8;

function pauseData(): Data {
  const bytes = Buffer.alloc(40);
  bytes.writeBigUInt64LE(BigInt(SIG_IGN), 0);
  bytes.writeBigUInt64LE((1n << BigInt(SIGINT - 1)) | (1n << BigInt(SIGTERM - 1)), 32);
  return { bytes, ignoreOffset: 0, signalsOffset: 32 };
}

/** Instructions are fixed bytes, or bytes that depend on how far away a label is. Labels are in `at`, from the code's start. */
type Instruction = number[] | ((at: number, labels: Labels) => number[]);
interface Labels {
  wait: number;
  ignore: number;
  signals: number;
}
type Line = { label: 'wait' } | Instruction;

/** Two passes: the first finds where the labels fall, the second fills the distances in. The data follows the code, aligned to 8. */
function assemble(lines: Line[], data: Data): Buffer {
  const labels: Labels = { wait: 0, ignore: 0, signals: 0 };
  let code: number[] = [];
  for (let pass = 0; pass < 2; pass++) {
    code = [];
    for (const line of lines) {
      if ('label' in line) labels[line.label] = code.length;
      else code.push(...(typeof line === 'function' ? line(code.length, labels) : line));
    }
    while (code.length % 8 !== 0) code.push(0);
    labels.ignore = code.length + data.ignoreOffset;
    labels.signals = code.length + data.signalsOffset;
  }
  return Buffer.concat([Buffer.from(code), data.bytes]);
}

function word(value: number): number[] {
  return [value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, (value >>> 24) & 0xff];
}

/** x86-64, system calls: number in eax; arguments in rdi, rsi, rdx, r10. */
function amd64Code(data: Data): Buffer {
  const eax = (value: number): Instruction => [0xb8, ...word(value)];
  const edi = (value: number): Instruction => [0xbf, ...word(value)];
  const r10d = (value: number): Instruction => [0x41, 0xba, ...word(value)];
  const esiZero: Instruction = [0x31, 0xf6];
  const edxZero: Instruction = [0x31, 0xd2];
  const syscall: Instruction = [0x0f, 0x05];
  // lea r64, [rip + distance], counted from the end of these seven bytes.
  const addressOf =
    (register: 'rsi' | 'rdi', label: 'ignore' | 'signals'): Instruction =>
    (at, labels) => [0x48, 0x8d, register === 'rsi' ? 0x35 : 0x3d, ...word(labels[label] - (at + 7))];
  const testEax: Instruction = [0x85, 0xc0];
  const jumpUnlessPositive: Instruction = (at, labels) => [0x7e, (labels.wait - (at + 2)) & 0xff];
  return assemble(
    [
      ...[eax(13), edi(SIGCHLD), addressOf('rsi', 'ignore'), edxZero, r10d(signalSetBytes), syscall], // rt_sigaction
      ...[eax(14), edi(0), addressOf('rsi', 'signals'), edxZero, r10d(signalSetBytes), syscall], // rt_sigprocmask(SIG_BLOCK)
      { label: 'wait' },
      ...[eax(128), addressOf('rdi', 'signals'), esiZero, edxZero, r10d(signalSetBytes), syscall], // rt_sigtimedwait
      ...[testEax, jumpUnlessPositive],
      ...[eax(231), edi(0), syscall], // exit_group
    ],
    data,
  );
}

/** AArch64, system calls: number in x8; arguments in x0 to x3. */
function arm64Code(data: Data): Buffer {
  const mov = (register: number, value: number): Instruction => word(0xd2800000 | (value << 5) | register);
  const adr =
    (register: number, label: 'ignore' | 'signals'): Instruction =>
    (at, labels) => {
      const distance = labels[label] - at;
      return word(0x10000000 | ((distance & 3) << 29) | (((distance >> 2) & 0x7ffff) << 5) | register);
    };
  const svc: Instruction = word(0xd4000001);
  const compareW0WithZero: Instruction = word(0x7100001f);
  const branchUnlessPositive: Instruction = (at, labels) => word(0x54000000 | ((((labels.wait - at) >> 2) & 0x7ffff) << 5) | 0xd);
  return assemble(
    [
      ...[mov(8, 134), mov(0, SIGCHLD), adr(1, 'ignore'), mov(2, 0), mov(3, signalSetBytes), svc], // rt_sigaction
      ...[mov(8, 135), mov(0, 0), adr(1, 'signals'), mov(2, 0), mov(3, signalSetBytes), svc], // rt_sigprocmask(SIG_BLOCK)
      { label: 'wait' },
      ...[mov(8, 137), adr(0, 'signals'), mov(1, 0), mov(2, 0), mov(3, signalSetBytes), svc], // rt_sigtimedwait
      ...[compareW0WithZero, branchUnlessPositive],
      ...[mov(8, 94), mov(0, 0), svc], // exit_group
    ],
    data,
  );
}

const machines = { amd64: 62, arm64: 183 };

/** An executable of one segment, readable and executable: header, code and constants. */
function elf(machine: number, code: Buffer): Buffer {
  const baseAddress = 0x400000;
  const headerBytes = 64 + 56;
  const header = Buffer.alloc(headerBytes);
  header.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1], 0); // ELF, 64-bit, little-endian, version 1
  header.writeUInt16LE(2, 16); // an executable
  header.writeUInt16LE(machine, 18);
  header.writeUInt32LE(1, 20);
  header.writeBigUInt64LE(BigInt(baseAddress + headerBytes), 24); // entry
  header.writeBigUInt64LE(64n, 32); // program headers follow
  header.writeUInt16LE(64, 52);
  header.writeUInt16LE(56, 54);
  header.writeUInt16LE(1, 56);
  header.writeUInt16LE(64, 58);

  const fileBytes = BigInt(headerBytes + code.length);
  header.writeUInt32LE(1, 64); // loadable
  header.writeUInt32LE(5, 68); // read, execute
  header.writeBigUInt64LE(BigInt(baseAddress), 80);
  header.writeBigUInt64LE(BigInt(baseAddress), 88);
  header.writeBigUInt64LE(fileBytes, 96);
  header.writeBigUInt64LE(fileBytes, 104);
  // A page of 64 KiB, the largest that arm64 kernels use.
  header.writeBigUInt64LE(0x10000n, 112);
  return Buffer.concat([header, code]);
}
