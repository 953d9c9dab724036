// client-node's hand-written half against a real pod: exec, attach, cp, logs, port-forward, objects of any kind, a watch,
// and metrics that nobody serves. Prints what it saw, each wait within a deadline; what is still open ends with the process.

import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import {
  ApiException,
  Attach,
  Cp,
  Exec,
  KubeConfig,
  type KubernetesObject,
  KubernetesObjectApi,
  Log,
  Metrics,
  PatchStrategy,
  PortForward,
  type V1Status,
  Watch,
} from '@kubernetes/client-node';

const [namespace, pod, container] = ['default', 'hello', 'web'];
const config = new KubeConfig();
config.loadFromDefault();
const exec = new Exec(config);

/** Runs a command to its end: what it wrote, and how the server says it ended. */
async function run(command: string[], input: string | null = null): Promise<{ out: string; err: string; status: V1Status }> {
  const [out, err] = [new PassThrough(), new PassThrough()];
  const both = Promise.all([text(out), text(err)]);
  const status = await within(
    new Promise<V1Status>((done, fail) => {
      exec.exec(namespace, pod, container, command, out, err, input === null ? null : Readable.from([input]), false, done).catch(fail);
    }),
  );
  out.end();
  err.end();
  const [written, complained] = await both;
  return { out: written, err: complained, status };
}

async function within<T>(promise: Promise<T>): Promise<T> {
  const ender = new AbortController();
  const deadline = pause(20_000, undefined, { signal: ender.signal }).then(
    () => Promise.reject(new Error('not within 20 s')),
    () => new Promise<never>(() => {}),
  );
  return Promise.race([promise, deadline]).finally(() => ender.abort());
}

async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    if (await isSo()) return;
    await pause(100);
  }
  throw new Error(`not within 10 s: ${what}`);
}

const echoed = await run(['sh', '-c', 'echo out; echo err >&2']);
console.log('exec', JSON.stringify([echoed.out, echoed.err]), echoed.status.status);
const failed = await run(['sh', '-c', 'exit 3']);
console.log('exit', failed.status.reason, JSON.stringify(failed.status.details?.causes), failed.status.message);
console.log('input', (await run(['head', '-n', '1'], 'typed\n')).out.trim());

const directory = mkdtempSync(join(process.env['MACHINE'] ?? '/tmp', 'cp-'));
writeFileSync(join(directory, 'there.txt'), 'there and back');
const cp = new Cp(config);
await cp.cpToPod(namespace, pod, container, directory, '/tmp');
await until('the file is there', async () => (await run(['cat', '/tmp/there.txt'])).out === 'there and back');
const back = mkdtempSync(join(directory, 'back-'));
await cp.cpFromPod(namespace, pod, container, 'there.txt', back, '/tmp');
const copied = join(back, 'there.txt');
await until('the file is back', () => {
  try {
    return readFileSync(copied, 'utf8') === 'there and back';
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw error;
  }
});
console.log('cp there and back');

const attached = new PassThrough();
let heard = '';
attached.on('data', (chunk: Buffer) => {
  heard += chunk.toString();
});
const attachSocket = await new Attach(config).attach(namespace, 'talker', 'talker', attached, null, null, false);
await until('the pod is heard', () => heard.includes('tick'));
attachSocket.close();
console.log('attach', heard.split('\n')[0]);

const answer = new PassThrough();
let page = '';
answer.on('data', (chunk: Buffer) => {
  page += chunk.toString();
});
const request = new PassThrough();
const forwarded = await new PortForward(config).portForward(namespace, pod, [8080], answer, null, request);
request.write('GET / HTTP/1.0\r\n\r\n');
await until('the page', () => page.includes('hello from'));
if (typeof forwarded !== 'function') forwarded.close();
console.log('port-forward', page.trim().split('\n').at(-1));

const lines = new PassThrough();
await new Log(config).log(namespace, 'talker', 'talker', lines, { follow: true, tailLines: 1 });
const [line] = await within(new Promise<Buffer[]>((done) => lines.once('data', (chunk: Buffer) => done([chunk]))));
console.log('log', line?.toString().split('\n')[0]);

const objects = KubernetesObjectApi.makeApiClient(config);
type Box = KubernetesObject & { spec?: Record<string, unknown>; data?: Record<string, string> };
const told: string[] = [];
await new Watch(config).watch(
  '/api/v1/namespaces/default/configmaps',
  { fieldSelector: 'metadata.name=any' },
  (type, object: Box) => told.push(`${type} ${JSON.stringify(object.data)}`),
  () => {},
);
const any: Box = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'any', namespace }, data: { a: '1' } };
await objects.create(any);
await objects.patch({ ...any, data: { b: '2' } }, undefined, undefined, undefined, undefined, PatchStrategy.MergePatch);
const applied = { ...any, data: { a: '3' } };
try {
  await objects.patch(applied, undefined, undefined, 'streams', false, PatchStrategy.ServerSideApply);
} catch (error) {
  if (!(error instanceof ApiException)) throw error;
  console.log('apply', error.code);
}
await objects.patch(applied, undefined, undefined, 'streams', true, PatchStrategy.ServerSideApply);
await objects.delete(any);
await until('the watch tells the end', () => told.some((event) => event.startsWith('DELETED')));
for (const event of told) console.log('watch', event);

const gadget: Box = { apiVersion: 'shop.example.com/v1', kind: 'Gadget', metadata: { name: 'g', namespace }, spec: { size: 1 } };
await objects.create(gadget);
await objects.patch({ ...gadget, spec: { size: 2 } }, undefined, undefined, undefined, undefined, PatchStrategy.MergePatch);
const read = await objects.read<Box>({ ...gadget, metadata: { name: 'g', namespace } });
console.log('gadget', read.metadata?.generation, JSON.stringify(read.spec));
await objects.delete(gadget);
console.log('gadgets', (await objects.list('shop.example.com/v1', 'Gadget', namespace)).items.length);

for (const ask of [() => new Metrics(config).getPodMetrics(namespace), () => objects.create({ ...gadget, kind: 'Nothing' })]) {
  try {
    await ask();
    throw new Error('was answered');
  } catch (error) {
    console.log('refused', error instanceof ApiException ? error.code : String(error));
  }
}
process.exit(0);
