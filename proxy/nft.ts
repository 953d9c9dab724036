// The nft command: one interactive process for small transactions (starting one costs more than the change itself),
// a process of its own for large ones. Knows the tool, not the rules.

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import type { Clock } from '../base/clock.ts';

export class NftError extends Error {
  override readonly name = 'NftError';
}

export interface RunOptions {
  /** A command prefix to run tools under, for instance to enter a network namespace. */
  within?: readonly string[];
  input?: string;
}

/** Runs a command to its end. Never rejects for its exit code; `code` is -1 when it could not be started. */
export function run(command: readonly string[], options: RunOptions = {}): Promise<{ code: number; stdout: string; stderr: string }> {
  const [file = '', ...args] = [...(options.within ?? []), ...command];
  return new Promise((resolve) => {
    const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
    child.on('error', (error) => resolve({ code: -1, stdout: '', stderr: String(error) }));
    child.on('close', (code) => resolve({ code: code ?? -1, stdout: `${Buffer.concat(stdout)}`, stderr: `${Buffer.concat(stderr)}` }));
    // A command that ends without reading its input is told apart by its exit code.
    child.stdin.on('error', () => child.stdin.destroy());
    child.stdin.end(options.input ?? '');
  });
}

export interface NftOptions {
  clock: Clock;
  within?: readonly string[];
}

const interactiveBytesMax = 32 * 1024;
const answerMsMax = 10_000;
const stderrBytesMax = 64 * 1024;
/** No command: nft's complaint about it tells that the line before is done. A `list` would have nft read every table first. */
const marker = 't8s-end';

export class Nft {
  readonly #options: NftOptions;
  #process: ChildProcessWithoutNullStreams | undefined;
  #stderr = '';
  #answered: ((error?: Error) => void) | undefined;

  constructor(options: NftOptions) {
    this.#options = options;
  }

  /** All `statements` or none. One call at a time. @throws NftError with what nft says */
  async transact(statements: readonly string[]): Promise<void> {
    if (statements.length === 0) return;
    const line = statements.join('; ');
    if (line.length > interactiveBytesMax) {
      const { code, stderr } = await run(['nft', '-f', '-'], { ...this.#options, input: `${statements.join('\n')}\n` });
      if (code !== 0) throw new NftError(firstLines(stderr));
      return;
    }
    const said = await this.#ask(line);
    if (said.includes('Error:')) throw new NftError(firstLines(said));
  }

  /** nft's JSON of a table; undefined: there is none. @throws NftError */
  async listTable(table: string): Promise<unknown[] | undefined> {
    const { code, stdout, stderr } = await run(['nft', '-j', 'list', 'table', 'ip', table], this.#options);
    if (code === 0) return (JSON.parse(stdout) as { nftables: unknown[] }).nftables;
    if (stderr.includes('No such file or directory')) return undefined;
    throw new NftError(firstLines(stderr));
  }

  async close(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (!child) return;
    child.ref();
    const ended = new Promise((resolve) => child.once('close', resolve));
    child.stdin.end();
    child.kill('SIGTERM');
    await ended;
  }

  /** Sends one line; answers what was said on stderr by the time it was done. */
  async #ask(line: string): Promise<string> {
    const child = this.#start();
    this.#stderr = '';
    await new Promise<void>((resolve, reject) => {
      const deadline = this.#options.clock.setTimer(answerMsMax, () => {
        child.kill('SIGKILL');
        this.#answered?.(new NftError(`nft did not answer within ${answerMsMax} ms`));
      });
      this.#answered = (error) => {
        this.#answered = undefined;
        deadline.cancel();
        if (error) reject(error);
        else resolve();
      };
      child.stdin.write(`${line}\n${marker}\n`);
    });
    // What comes before the complaint about the marker is about the line.
    const end = this.#stderr.indexOf(marker);
    return this.#stderr.slice(0, Math.max(0, this.#stderr.lastIndexOf('Error:', end)));
  }

  #start(): ChildProcessWithoutNullStreams {
    if (this.#process) return this.#process;
    const [file = '', ...args] = [...(this.#options.within ?? []), 'nft', '-i'];
    const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    child.stdout.resume();
    child.stderr.on('data', (chunk: Buffer) => {
      this.#stderr = (this.#stderr + chunk.toString()).slice(-stderrBytesMax);
      if (this.#stderr.includes(`${marker}\n`)) this.#answered?.();
    });
    const gone = (why: string) => {
      if (this.#process !== child) return;
      this.#process = undefined;
      this.#answered?.(new NftError(`nft ended: ${why} ${this.#stderr}`));
    };
    child.on('error', (error) => gone(String(error)));
    child.on('close', (code, signal) => gone(String(signal ?? code)));
    child.stdin.on('error', (error) => gone(String(error)));
    child.unref();
    this.#process = child;
    return child;
  }
}

function firstLines(text: string): string {
  return text.split('\n').slice(0, 4).join('\n').slice(0, 2000);
}
