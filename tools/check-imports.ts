// Holds the code against the table of rooms: which room may import which, and which packages. Tests may also use
// testing/ and packages of development. Prints every violation; exits 1 when there is one.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join, normalize } from 'node:path';

interface Room {
  rooms: string[] | 'all';
  packages: string[] | 'all';
}

/** The table of docs/architecture.md. `types:` before a package: type imports only. */
const table: Record<string, Room> = {
  base: { rooms: [], packages: [] },
  api: { rooms: [], packages: ['types:@kubernetes/client-node', 'fast-json-patch', 'yaml'] },
  store: { rooms: ['base'], packages: ['lmdb', 'etcd3', 'rxjs'] },
  apiserver: {
    rooms: ['base', 'api', 'store', 'client'],
    packages: [
      'koa',
      'yaml',
      'rxjs',
      'ws',
      'jose',
      '@noble/ciphers',
      '@grpc/grpc-js',
      '@grpc/proto-loader',
      '@peculiar/x509',
      'reflect-metadata',
      'prom-client',
      're2js',
      'fast-json-patch',
      'types:@kubernetes/client-node',
    ],
  },
  client: { rooms: ['base', 'api'], packages: ['@kubernetes/client-node', 'rxjs', 'yaml', 'undici', 'ws', 'prom-client'] },
  controller: { rooms: ['base', 'api', 'client'], packages: ['rxjs', 'prom-client'] },
  scheduler: { rooms: ['base', 'api', 'client'], packages: ['rxjs', 'prom-client'] },
  runtime: { rooms: ['base'], packages: ['@grpc/grpc-js', '@grpc/proto-loader', 'rxjs', 'tar-stream'] },
  kubelet: { rooms: ['base', 'api', 'client', 'runtime'], packages: ['rxjs', 'ws', 'yaml', 'prom-client'] },
  proxy: { rooms: ['base', 'api', 'client'], packages: ['rxjs', 'dns-packet', 'prom-client'] },
  kubectl: { rooms: ['base', 'api', 'client'], packages: ['yaml', 'ws', 'rxjs', 'commander', 'fast-json-patch'] },
  testing: {
    rooms: ['base', 'api', 'store', 'apiserver', 'client', 'controller', 'scheduler', 'runtime', 'kubelet', 'proxy', 'kubectl'],
    packages: 'all',
  },
  t8s: { rooms: 'all', packages: 'all' },
  e2e: { rooms: ['testing'], packages: 'all' },
  bench: { rooms: 'all', packages: 'all' },
  tools: { rooms: 'all', packages: 'all' },
};

const problems: string[] = [];
for (const room of Object.keys(table)) for (const file of sourcesIn(room)) checkFile(room, file);
for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exit(1);

function checkFile(room: string, file: string): void {
  const allowed = table[room] as Room;
  const isTest = /\.test\.ts$|\/contract[-\w]*\.ts$|testdata/.test(file);
  const text = readFileSync(file, 'utf8');
  for (const match of text.matchAll(/^(?:import|export)\s+(type\s+)?(?:[^'"`;]*?\sfrom\s+)?['"]([^'"]+)['"]/gm)) {
    const isType = match[1] !== undefined;
    const target = match[2] as string;
    const problem = target.startsWith('.')
      ? roomProblem(room, file, target, allowed, isTest)
      : packageProblem(room, target, allowed, isType, isTest);
    if (problem) problems.push(`${file}: ${problem}`);
  }
  if (room !== 'base' && !isTest && !['e2e', 'bench', 'tools', 'testing'].includes(room)) {
    const lines = text.split('\n');
    lines.forEach((line, index) => {
      if (/^\s*(\/\/|\*)/.test(line)) return;
      const match =
        /\b(Date\.now|Math\.random|randomUUID|setTimeout|setInterval|performance\.now)\s*\(/.exec(line) ?? /\bnew Date\(\)/.exec(line);
      if (match) problems.push(`${file}:${index + 1}: ${match[0]} belongs behind base/: take a Clock or a Random`);
      if (/\bcatch\s*\{\s*\}/.test(line)) problems.push(`${file}:${index + 1}: an empty catch loses the error`);
    });
  }
}

function roomProblem(room: string, file: string, target: string, allowed: Room, isTest: boolean): string | undefined {
  const path = normalize(join(dirname(file), target));
  const other = path.split('/')[0] as string;
  if (other === room || allowed.rooms === 'all' || allowed.rooms.includes(other)) return undefined;
  // A test may hold its room against the real others.
  if (isTest && other !== 't8s') return undefined;
  return `${room} may not import ${other} (${target})`;
}

function packageProblem(room: string, target: string, allowed: Room, isType: boolean, isTest: boolean): string | undefined {
  if (isBuiltin(target) || allowed.packages === 'all' || isTest) return undefined;
  const name = target.startsWith('@') ? target.split('/').slice(0, 2).join('/') : (target.split('/')[0] as string);
  if (allowed.packages.includes(name) || (isType && allowed.packages.includes(`types:${name}`))) return undefined;
  return `${room} may not import the package ${name}${isType ? '' : ` (${target})`}`;
}

function sourcesIn(directory: string): string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.includes('node_modules'))
    .map((name) => join(directory, name));
}
