// One probe of one container: exec, HTTP, TCP or gRPC, each with its deadline.

import { request as requestHttp } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { request as requestHttps } from 'node:https';
import { connect } from 'node:net';
import type { Container, Pod } from '../../api/core.ts';
import type { Clock } from '../../base/clock.ts';
import { type ContainerRuntime, RuntimeError } from '../../runtime/runtime.ts';

export type Probe = NonNullable<Container['livenessProbe']>;
export type HttpGet = NonNullable<Probe['httpGet']>;

export interface ProbeOutcome {
  result: 'success' | 'warning' | 'failure';
  output: string;
  isError?: boolean;
}

export interface ProbeInput {
  probe: Probe;
  container: Container;
  containerId: string;
  podIp: string;
  pod: Pod;
}

const outputBytesMax = 10 * 1024;

/** Carries out `probe`; trouble with the container is an outcome, not an error. */
export async function probeOnce(runtime: ContainerRuntime, clock: Clock, input: ProbeInput): Promise<ProbeOutcome> {
  const { probe, container, podIp } = input;
  const timeoutMs = (probe.timeoutSeconds ?? 1) * 1000;
  if (probe.exec) return probeExec(runtime, input, probe.timeoutSeconds ?? 1);
  // Where pods' addresses lead nowhere, the runtime itself knows.
  if (runtime.probe) {
    const isReady = await runtime.probe(input.containerId);
    return { result: isReady ? 'success' : 'failure', output: isReady ? '' : 'the simulated container is not ready' };
  }
  if (probe.httpGet) return probeHttp(probe.httpGet, container, podIp, { timeoutMs, clock });
  if (probe.tcpSocket) {
    const port = portNumber(probe.tcpSocket.port, container);
    return probeTcp(probe.tcpSocket.host || podIp, port, { timeoutMs, clock });
  }
  if (probe.grpc) return probeGrpc(podIp, probe.grpc.port, probe.grpc.service ?? '', { timeoutMs, clock });
  return { result: 'failure', output: `missing probe handler for ${container.name}`, isError: true };
}

async function probeExec(runtime: ContainerRuntime, { probe, containerId }: ProbeInput, timeoutSeconds: number): Promise<ProbeOutcome> {
  try {
    const { stdout, stderr, exitCode } = await runtime.execSync(containerId, [...(probe.exec?.command ?? [])], timeoutSeconds);
    const output = Buffer.concat([stdout, stderr]).subarray(0, outputBytesMax).toString('utf8');
    return { result: exitCode === 0 ? 'success' : 'failure', output };
  } catch (error) {
    if (!(error instanceof RuntimeError)) throw error;
    const isTimeout = error.code === 'DeadlineExceeded';
    const output = isTimeout
      ? `command timed out: "${(probe.exec?.command ?? []).join(' ')}" timed out after ${timeoutSeconds}s`
      : error.message;
    return { result: 'failure', output, isError: !isTimeout };
  }
}

/** A port by number, or by the name that the container gives it. @throws Error */
export function portNumber(port: number | string | undefined, container: Container): number {
  if (typeof port === 'number') return port;
  const text = String(port ?? '');
  if (/^\d+$/.test(text)) return Number(text);
  const named = (container.ports ?? []).find((p) => p.name === text);
  if (!named) throw new Error(`couldn't find port "${text}" in container ${container.name}`);
  return named.containerPort;
}

interface Limits {
  timeoutMs: number;
  clock: Clock;
}

/** GET without following redirects to other hosts, certificates unchecked: 200 to 399 is success. */
export function probeHttp(get: HttpGet, container: Container, podIp: string, { timeoutMs, clock }: Limits): Promise<ProbeOutcome> {
  const isHttps = get.scheme?.toUpperCase() === 'HTTPS';
  const host = get.host || podIp;
  const port = portNumber(get.port as number | string, container);
  const path = get.path || '/';
  const url = `${isHttps ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${port}${path.startsWith('/') ? path : `/${path}`}`;
  const headers: Record<string, string> = { 'user-agent': 'kube-probe/1.36', accept: '*/*', connection: 'close' };
  for (const header of get.httpHeaders ?? []) headers[header.name.toLowerCase()] = header.value;
  return new Promise((resolve) => {
    let isDone = false;
    const finish = (outcome: ProbeOutcome) => {
      if (isDone) return;
      isDone = true;
      timer.cancel();
      request.destroy();
      resolve(outcome);
    };
    const failed = (why: string) => finish({ result: 'failure', output: `Get "${url}": ${why}` });
    const timer = clock.setTimer(timeoutMs, () => failed('context deadline exceeded (Client.Timeout exceeded while awaiting headers)'));
    const send = isHttps ? requestHttps : requestHttp;
    const request = send(url, { headers, agent: false, ...(isHttps ? { rejectUnauthorized: false } : {}) }, (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      const end = () => {
        const status = response.statusCode ?? 0;
        if (status >= 300 && status < 400) return finish(redirected(response.headers.location, host, status));
        if (status >= 200 && status < 300) return finish({ result: 'success', output: Buffer.concat(chunks).toString('utf8') });
        return finish({ result: 'failure', output: `HTTP probe failed with statuscode: ${status}` });
      };
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes <= outputBytesMax) chunks.push(chunk);
        else end();
      });
      response.on('end', end);
    });
    request.on('error', (error: NodeJS.ErrnoException) => failed(networkError(error, host, port)));
    request.end();
  });
}

function redirected(location: string | undefined, host: string, status: number): ProbeOutcome {
  const target = location && /^https?:\/\/([^/:]+)/.exec(location)?.[1];
  if (target && target !== host) return { result: 'warning', output: `Probe terminated redirects, Response body: ${status}` };
  return { result: 'success', output: '' };
}

export function probeTcp(host: string, port: number, { timeoutMs, clock }: Limits): Promise<ProbeOutcome> {
  return new Promise((resolve) => {
    const finish = (outcome: ProbeOutcome) => {
      timer.cancel();
      socket.destroy();
      resolve(outcome);
    };
    const timer = clock.setTimer(timeoutMs, () => finish({ result: 'failure', output: `dial tcp ${host}:${port}: i/o timeout` }));
    const socket = connect({ host, port }, () => finish({ result: 'success', output: '' }));
    socket.on('error', (error: NodeJS.ErrnoException) => finish({ result: 'failure', output: networkError(error, host, port) }));
  });
}

function networkError(error: NodeJS.ErrnoException, host: string, port: number): string {
  const words: Record<string, string> = {
    ECONNREFUSED: 'connect: connection refused',
    EHOSTUNREACH: 'connect: no route to host',
    ENETUNREACH: 'connect: network is unreachable',
    ECONNRESET: 'read: connection reset by peer',
  };
  const known = words[error.code ?? ''];
  return known ? `dial tcp ${host}:${port}: ${known}` : error.message;
}

/** grpc.health.v1.Health/Check, in the two messages' bytes: nothing else of gRPC is needed. */
export function probeGrpc(host: string, port: number, service: string, { timeoutMs, clock }: Limits): Promise<ProbeOutcome> {
  return new Promise((resolve) => {
    const authority = `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
    const session = connectHttp2(authority);
    let isDone = false;
    const finish = (outcome: ProbeOutcome) => {
      if (isDone) return;
      isDone = true;
      timer.cancel();
      session.destroy();
      resolve(outcome);
    };
    const timer = clock.setTimer(timeoutMs, () =>
      finish({ result: 'failure', output: `timeout: health rpc did not complete within ${timeoutMs / 1000}s` }),
    );
    session.on('error', () => {
      finish({ result: 'failure', output: `timeout: failed to connect service "${host}:${port}" within ${timeoutMs / 1000}s` });
    });
    const stream = session.request({
      ':method': 'POST',
      ':path': '/grpc.health.v1.Health/Check',
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    const chunks: Buffer[] = [];
    let trailers: Record<string, unknown> = {};
    stream.on('response', (headers) => {
      trailers = { ...headers };
    });
    stream.on('trailers', (headers) => {
      trailers = { ...trailers, ...headers };
    });
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('error', (error: Error) => finish({ result: 'failure', output: `error: health rpc probe failed: ${error.message}` }));
    stream.on('end', () => finish(grpcOutcome(Buffer.concat(chunks), trailers)));
    const name = Buffer.from(service);
    const message = name.length ? Buffer.concat([Buffer.from([0x0a, name.length]), name]) : Buffer.alloc(0);
    const frame = Buffer.alloc(5);
    frame.writeUInt32BE(message.length, 1);
    stream.end(Buffer.concat([frame, message]));
  });
}

const servingStatuses = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'];

function grpcOutcome(body: Buffer, trailers: Record<string, unknown>): ProbeOutcome {
  const code = Number(trailers['grpc-status'] ?? 0);
  if (code === 12)
    return { result: 'failure', output: 'error: this server does not implement the grpc health protocol (grpc.health.v1.Health)' };
  if (code !== 0)
    return {
      result: 'failure',
      output: `error: health rpc probe failed: rpc error: code = ${code} desc = ${trailers['grpc-message'] ?? ''}`,
    };
  // HealthCheckResponse: field 1, a varint; left out when it is 0.
  const status = body[5] === 0x08 ? (body[6] ?? 0) : 0;
  if (status === 1) return { result: 'success', output: '' };
  return { result: 'failure', output: `service unhealthy (responded with "${servingStatuses[status] ?? status}")` };
}
