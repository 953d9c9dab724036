// Calls every operation of the check-list against one running server, and prints what answers rightly.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { type ListeningServer, startListeningServer } from './listening-server.ts';
import { notServed } from './not-served.ts';
import { Round } from './round.ts';
import { readSamples } from './samples.ts';
import { type ListedOperation, listedOperations, nameOf } from './table.ts';

let server: ListeningServer;
before(async () => {
  server = await startListeningServer();
});
after(() => server.close());

const operations = listedOperations();
const names = operations.map(nameOf);
const groupOf = ({ resource }: ListedOperation) =>
  resource ? resource.split('/').slice(0, 2).join('/').replace(/^\//, '') : 'no resource';

test('the check-list is that of Kubernetes 1.36', () => {
  const lines = operations.map((o) => [o.method, o.path, o.action, o.group, o.version, o.kind, o.operationId].join('\t')).sort();
  const digest = createHash('sha256').update(lines.join('\n')).digest('hex');
  assert.deepEqual([lines.length, digest], [818, '1633651834593432f80d2f975b7078e40ef8836facbab85ff5e70fff5ee04de5']);
});

test('every operation answers what should pass and what should not, or is named with why it is not served', async () => {
  const round = new Round(server, readSamples());
  await round.run(operations.filter((operation) => !notServed.has(nameOf(operation))));
  const right = new Set([...round.problems].flatMap(([name, problems]) => (problems.length === 0 ? [name] : [])));
  console.log(tableOf(right));
  for (const name of names) {
    const problems = round.problems.get(name) ?? [notServed.get(name) ?? 'never called'];
    if (!right.has(name)) console.log(`${notServed.has(name) ? 'not served' : 'WRONG'} ${name}\n  ${problems.join('\n  ')}`);
  }
  assert.deepEqual(
    names.filter((name) => !right.has(name) && !notServed.has(name)),
    [],
  );
});

test('what is named as not served is not served', async () => {
  for (const name of notServed.keys()) {
    const [method = '', path = ''] = name.split(' ');
    const answer = await server.ask(method, path);
    if (method !== 'HEAD') assert.deepEqual([answer.status, answer.json?.kind], [404, 'Status'], `${name} is served: take it off the list`);
  }
});

test('the page about operations counts them as they are', () => {
  const file = new URL('../../docs/operations.md', import.meta.url);
  const page = pageOf(operations.filter((operation) => !notServed.has(nameOf(operation))));
  if (process.env['T8S_WRITE_DOCS']) writeFileSync(file, page);
  assert.equal(readFileSync(file, 'utf8'), page, 'write it anew with T8S_WRITE_DOCS=1, and read the difference');
});

function countsOf(served: ReadonlySet<string>): [string, number, number][] {
  const rows = [...Map.groupBy(operations, groupOf)].map(([group, own]): [string, number, number] => [
    group,
    own.length,
    own.filter((operation) => served.has(nameOf(operation))).length,
  ]);
  return [...rows, ['all', operations.length, served.size]];
}

function tableOf(right: ReadonlySet<string>): string {
  const lines = countsOf(right).map(([group, all, those]) => `${group.padEnd(36)} ${String(all).padStart(6)} ${String(those).padStart(6)}`);
  return [`${'GROUP'.padEnd(36)} LISTED  RIGHT`, ...lines].join('\n');
}

function pageOf(served: readonly ListedOperation[]): string {
  const rows = countsOf(new Set(served.map(nameOf))).map(([group, all, those]) => `| ${group} | ${all} | ${those} |`);
  const missing = [...Map.groupBy(notServed, ([, why]) => why)].map(
    ([why, entries]) =>
      `- ${entries.length === 1 ? '1 operation' : `${entries.length} operations`}: ${why}\n${entries.map(([name]) => `  - \`${name}\``).join('\n')}`,
  );
  return `# Operations

Kubernetes 1.36 publishes 666 stable operations, and 152 more at its deprecated \`/watch/\` paths. \`apiserver/operations/\` lists them by
themselves, not by what is served; its test calls each one that is served twice against one running server, with what should pass and with
what should not, and compares code, type and reason of the answers. This page is written by that test (\`T8S_WRITE_DOCS=1\`).

| group | listed | served and called |
| --- | ---: | ---: |
${rows.join('\n')}

Not served:

${missing.join('\n')}
`;
}
