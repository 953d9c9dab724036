// `exec`: a command in a container over a v5.channel.k8s.io WebSocket, with a terminal when asked for.

import WebSocket from 'ws';
import { pods } from '../../api/core.ts';
import { pathOf } from '../../api/kind.ts';
import type { Status } from '../../api/status.ts';
import { type KubectlContext, KubectlError } from '../context.ts';

export interface ExecOptions {
  container?: string;
  stdin?: boolean;
  tty?: boolean;
}

const channels = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 } as const;
/** Input is read no faster than the connection takes it. */
const unsentBytesMax = 1 << 20;

/** The command's exit status. */
export async function exec(target: string, command: readonly string[], options: ExecOptions, context: KubectlContext): Promise<number> {
  if (command.length === 0) throw new KubectlError('you must specify at least one command for the container');
  const name = target.replace(/^(pods?|po)\//, '');
  const isTty = Boolean(options.tty && context.io.in.isTTY);
  const query = new URLSearchParams({ stdout: 'true', stderr: String(!isTty), stdin: String(Boolean(options.stdin)), tty: String(isTty) });
  if (options.container) query.set('container', options.container);
  for (const word of command) query.append('command', word);
  const socket = await connect(`${pathOf(pods, context.namespace, name, 'exec')}?${query}`, context);
  const raw = isTty && options.stdin ? context.io.in.setRawMode?.bind(context.io.in) : undefined;
  raw?.(true);
  try {
    return await converse(socket, { hasStdin: Boolean(options.stdin), isTty, context });
  } finally {
    raw?.(false);
  }
}

async function connect(path: string, { connection, signal }: KubectlContext): Promise<WebSocket> {
  const token = typeof connection.token === 'function' ? await connection.token() : connection.token;
  const socket = new WebSocket(connection.server.replace(/^http/, 'ws').replace(/\/$/, '') + path, ['v5.channel.k8s.io'], {
    ...(connection.ca ? { ca: connection.ca } : {}),
    ...(connection.cert ? { cert: connection.cert } : {}),
    ...(connection.key ? { key: connection.key } : {}),
    ...(token ? { headers: { authorization: `Bearer ${token}` } } : {}),
  });
  signal.addEventListener('abort', () => socket.close(), { once: true });
  return new Promise((resolve, reject) => {
    socket.once('open', () => resolve(socket));
    socket.once('error', reject);
    socket.once('unexpected-response', (_request, response) => {
      let text = '';
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => reject(new KubectlError(messageOf(text) || `the server answered ${response.statusCode}`)));
    });
  });
}

function messageOf(text: string): string {
  if (!text.startsWith('{')) return text.trim();
  return (JSON.parse(text) as Partial<Status>).message ?? '';
}

function converse(
  socket: WebSocket,
  { hasStdin, isTty, context }: { hasStdin: boolean; isTty: boolean; context: KubectlContext },
): Promise<number> {
  const { io } = context;
  const send = (channel: number, data: Uint8Array) => socket.send(Buffer.concat([Buffer.from([channel]), data]));
  const onInput = (chunk: Buffer | string) => {
    send(channels.stdin, Buffer.from(chunk));
    if (socket.bufferedAmount > unsentBytesMax) {
      io.in.pause();
      socket.once('drain', () => io.in.resume());
    }
  };
  const onEnd = () => socket.send(Buffer.from([channels.close, channels.stdin]));
  const onResize = () => send(channels.resize, Buffer.from(JSON.stringify({ Width: io.out.columns ?? 80, Height: io.out.rows ?? 24 })));
  if (hasStdin) {
    io.in.on('data', onInput);
    io.in.once('end', onEnd);
  }
  if (isTty) {
    onResize();
    io.out.on('resize', onResize);
  }
  return new Promise<number>((resolve, reject) => {
    let exitStatus: number | undefined;
    socket.on('message', (message: Buffer) => {
      const data = message.subarray(1);
      if (message[0] === channels.stdout) io.out.write(data);
      else if (message[0] === channels.stderr) io.err.write(data);
      else if (message[0] === channels.error && data.length > 0) exitStatus = exitStatusOf(JSON.parse(data.toString()), io.err);
    });
    socket.once('error', reject);
    socket.once('close', () => resolve(exitStatus ?? 1));
  }).finally(() => {
    io.in.off('data', onInput);
    io.in.off('end', onEnd);
    io.in.pause();
    io.out.off('resize', onResize);
  });
}

/** The Status on the error channel: success, a command's exit code, or a failure of the connection itself. */
function exitStatusOf(status: Partial<Status>, err: NodeJS.WritableStream): number {
  if (status.status === 'Success') return 0;
  const code = status.details?.causes?.find((cause) => cause.reason === 'ExitCode')?.message;
  err.write(code === undefined ? `error: ${status.message}\n` : `command terminated with exit code ${code}\n`);
  return code === undefined ? 1 : Number(code);
}
