// /statusz and /flagz: what runs here and how it was started, as text for people or, when asked for by name, as an object.

import { stringify as stringifyYaml } from 'yaml';
import { StatusError } from '../../api/status.ts';
import type { Clock } from '../../base/clock.ts';
import type { Random } from '../../base/random.ts';
import { type ApiContext, jsonType, send } from '../context.ts';
import type { PathHandler } from './dispatch.ts';

export interface ZPagesOptions {
  clock: Clock;
  random: Random;
  version: { major: string; minor: string; gitVersion: string; goVersion: string };
  /** Flags and what they are set to. */
  flags: Readonly<Record<string, string>>;
  /** What `/` lists. */
  paths(): readonly string[];
}

const component = 'kube-apiserver';
const group = 'config.k8s.io';
const textType = 'text/plain; charset=utf-8';
/** Where something is asked for rather than looked into. */
const notForDebugging = new Set(['/apis', '/api', '/openid', '/openapi', '/.well-known']);
/** One of these by chance, as Kubernetes does, so that nobody parses the text. */
const delimiters = [':', ': ', '=', ' '];

export function zPages(options: ZPagesOptions): PathHandler {
  const startedMs = options.clock.nowMs();
  return (ctx) => {
    const { path } = ctx.state.info;
    if (path === '/statusz') sendPage(ctx, 'Statusz', statuszOf(options, startedMs), (fields) => statuszText(fields, options.random));
    else if (path === '/flagz') sendPage(ctx, 'Flagz', { flags: options.flags }, ({ flags }) => flagzText(flags, options.random));
    else return false;
    return true;
  };
}

function sendPage<T extends object>(ctx: ApiContext, kind: 'Statusz' | 'Flagz', fields: T, text: (fields: T) => string): void {
  const page = kind.toLowerCase();
  const form = formOf(ctx.req.headers.accept, kind);
  if (form.type === 'text') {
    const warning =
      'Warning: This endpoint is not meant to be machine parseable, has no formatting compatibility guarantees and is for debugging purposes only.';
    send(ctx, 200, textType, `\n${component} ${page}\n${warning}\n${text(fields)}`);
    return;
  }
  if (form.version === 'v1alpha1') {
    ctx.state.warnings.add(`This version of the ${page} endpoint is deprecated. Please use a newer version.`);
  }
  const object = { kind, apiVersion: `${group}/${form.version}`, metadata: { name: component }, ...fields };
  if (form.type === 'yaml') send(ctx, 200, 'application/yaml', stringifyYaml(object));
  else send(ctx, 200, jsonType, JSON.stringify(object));
}

/** The first clause that can be served. Objects are only for those who name kind and version. @throws StatusError NotAcceptable */
function formOf(accept: string | undefined, kind: string): { type: 'text' | 'json' | 'yaml'; version: string } {
  if (!accept?.trim()) return { type: 'text', version: '' };
  for (const clause of accept.split(',')) {
    const [type, ...parameters] = clause.split(';').map((part) => part.trim());
    const values = new Map(parameters.map((parameter) => parameter.split('=', 2) as [string, string]));
    const version = values.get('v') ?? '';
    const isNamed = values.get('g') === group && values.get('as') === kind && (version === 'v1alpha1' || version === 'v1beta1');
    if (isNamed && (type === 'application/json' || type === '*/*' || type === 'application/*')) return { type: 'json', version };
    if (isNamed && type === 'application/yaml') return { type: 'yaml', version };
    if (!values.has('as') && (type === 'text/plain' || type === 'text/*' || type === '*/*')) return { type: 'text', version: '' };
  }
  const types = ['application/json', 'application/yaml', 'text/plain'];
  throw new StatusError('NotAcceptable', `only the following media types are accepted: ${types.join(', ')}`);
}

function statuszOf({ clock, version, paths }: ZPagesOptions, startedMs: number) {
  const folders = new Set(paths().map((path) => `/${path.split('/')[1] ?? ''}`));
  folders.delete('/');
  return {
    startTime: `${new Date(startedMs).toISOString().slice(0, 19)}Z`,
    uptimeSeconds: Math.max(0, Math.floor((clock.nowMs() - startedMs) / 1000)),
    goVersion: version.goVersion,
    binaryVersion: version.gitVersion.replace(/^v/, ''),
    emulationVersion: `${version.major}.${version.minor}`,
    paths: [...folders].filter((folder) => !notForDebugging.has(folder)).sort(),
  };
}

function statuszText(status: ReturnType<typeof statuszOf>, random: Random): string {
  const delimiter = delimiterBy(random);
  const { uptimeSeconds: up } = status;
  const two = (count: number) => String(count).padStart(2, '0');
  return `
Started${delimiter} ${unixDate(new Date(status.startTime))}
Up${delimiter} ${Math.floor(up / 3600)} hr ${two(Math.floor(up / 60) % 60)} min ${two(up % 60)} sec
Go version${delimiter} ${status.goVersion}
Binary version${delimiter} ${status.binaryVersion}
Emulation version${delimiter} ${status.emulationVersion}
Paths${delimiter} ${status.paths.join(' ')}
`;
}

function flagzText(flags: Readonly<Record<string, string>>, random: Random): string {
  const delimiter = delimiterBy(random);
  const names = Object.keys(flags).sort();
  return names.map((name) => `${name}${delimiter}${flags[name]}\n`).join('');
}

const delimiterBy = (random: Random) => delimiters[Math.floor(random.float() * delimiters.length)] ?? ':';

/** Go's time.UnixDate: `Mon Jan _2 15:04:05 MST 2006`. */
function unixDate(date: Date): string {
  const [weekday, day, month, year, time] = date.toUTCString().replace(',', '').split(' ');
  return `${weekday} ${month} ${String(Number(day)).padStart(2, ' ')} ${time} UTC ${year}`;
}
