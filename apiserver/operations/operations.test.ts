// Calls every operation of the check-list against one running server, and prints what answers rightly.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
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
const groupOf = ({ resource }: ListedOperation) => (resource ? resource.split('/').slice(0, 2).join('/').replace(/^\//, '') : 'paths');

test('the check-list is that of Kubernetes 1.36', () => {
  const lines = operations.map((o) => [o.method, o.path, o.action, o.group, o.version, o.kind, o.operationId].join('\t')).sort();
  assert.equal(lines.length, 818);
  assert.equal(
    createHash('sha256').update(lines.join('\n')).digest('hex'),
    '1633651834593432f80d2f975b7078e40ef8836facbab85ff5e70fff5ee04de5',
  );
});

test('every operation answers what should pass and what should not, or is named with why it is not served', async () => {
  const round = new Round(server, readSamples());
  await round.run(operations.filter((operation) => !notServed.has(nameOf(operation))));
  const failing = [...round.problems].filter(([, problems]) => problems.length > 0);
  console.log(tableOf(round));
  for (const [name, problems] of failing) console.log(`WRONG ${name}\n  ${problems.join('\n  ')}`);
  for (const [name, why] of notServed) console.log(`not served: ${name}: ${why}`);
  assert.deepEqual(
    operations.map(nameOf).filter((name) => !round.problems.has(name) && !notServed.has(name)),
    [],
  );
  assert.deepEqual(
    failing.map(([name]) => name),
    [],
  );
});

test('what is named as not served is not served, and is on the check-list', async () => {
  const listed = new Set(operations.map(nameOf));
  for (const name of notServed.keys()) {
    assert.ok(listed.has(name), `${name} is not on the check-list`);
    const [method = '', path = ''] = name.split(' ');
    const answer = await server.ask(method, path);
    assert.deepEqual([answer.status, answer.json?.kind], [404, 'Status'], `${name} is served: take it off the list`);
  }
});

function tableOf({ problems }: Round): string {
  const rows = [...Map.groupBy(operations, groupOf)].map(([group, own]) => {
    const right = own.filter((operation) => problems.get(nameOf(operation))?.length === 0);
    return `${group.padEnd(36)} ${String(own.length).padStart(5)} ${String(right.length).padStart(7)}`;
  });
  const right = [...problems.values()].filter((each) => each.length === 0).length;
  return [
    'GROUP                                LISTED  RIGHT',
    ...rows,
    `${'all'.padEnd(36)} ${operations.length} ${String(right).padStart(7)}`,
  ].join('\n');
}
