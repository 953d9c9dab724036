import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { applied, difference, keepPlaces, transactions } from './difference.ts';
import type { Endpoint, Frontend } from './plan.ts';
import { planOf } from './plan.ts';
import { normalRanges, type RulesOptions, ruleSetOf } from './rules.ts';

const options: RulesOptions = { clusterCidr: '10.1.0.0/16', serviceCidr: '10.96.0.0/16', bridge: 'cni0' };

const endpoint = fc.record({ address: fc.integer({ min: 1, max: 9 }).map((n) => `10.1.0.${n}`), port: fc.constantFrom(80, 8080) });
const endpoints = fc.uniqueArray(endpoint, { maxLength: 6, selector: (e) => `${e.address}:${e.port}` });
const frontend: fc.Arbitrary<Frontend> = fc.record({
  of: fc.constantFrom('default/a', 'default/b'),
  scope: fc.constantFrom('any' as const, 'near' as const),
  address: fc.constantFrom('10.96.0.1', '10.96.0.2', '192.0.2.1'),
  protocol: fc.constantFrom('tcp' as const, 'udp' as const),
  port: fc.constantFrom(80, 443),
  endpoints,
  masquerade: fc.constantFrom('never' as const, 'outside' as const, 'always' as const),
  whenEmpty: fc.constantFrom('reject' as const, 'drop' as const),
  affinitySeconds: fc.constantFrom(0, 0, 30),
});
const rules = fc.array(frontend, { maxLength: 8 }).map((frontends) => ruleSetOf(planOf(frontends), options));

test('applying the difference to what is there gives what is desired', () => {
  fc.assert(
    fc.property(rules, rules, (current, desired) => {
      const changes = difference(current, desired);
      assert.deepEqual(new Map([...applied(current, changes)].sort()), new Map([...desired].sort()));
      assert.deepEqual(difference(applied(current, changes), desired), []);
    }),
  );
});

test('a transaction never uses a chain or set before it is declared, nor deletes one that is still used', () => {
  fc.assert(
    fc.property(rules, rules, (current, desired) => {
      // A small model of the kernel: declared names, and who refers to whom.
      const names = new Set([...current.keys()].filter((k) => !k.startsWith('element')).map((k) => k.split(' ')[1] as string));
      const chainRefs = new Map<string, string[]>();
      const elementRefs = new Map<string, string>();
      const refsOf = (text: string) => [...text.matchAll(/(?:goto|jump) ([\w-]+)|@([\w-]+)/g)].map((m) => (m[1] ?? m[2]) as string);
      for (const [key, value] of current) {
        const [what, name = ''] = key.split(' ');
        if (what === 'chain') chainRefs.set(name, refsOf(value));
        else if (what === 'element') elementRefs.set(key, refsOf(value)[0] ?? '');
      }
      const { prepare, commit } = transactions('t', difference(current, desired));
      for (const statement of [...prepare, ...commit]) {
        const [verb, what, , , name = '', ...rest] = statement.split(' ');
        const text = rest.join(' ');
        if (verb === 'add' && (what === 'chain' || what === 'set' || what === 'map')) names.add(name);
        else if (verb === 'flush') chainRefs.set(name, []);
        else if (verb === 'add' && what === 'rule') {
          for (const ref of refsOf(text)) assert(names.has(ref), `${statement} refers to ${ref}`);
          chainRefs.set(name, [...(chainRefs.get(name) ?? []), ...refsOf(text)]);
        } else if (what === 'element') {
          assert(names.has(name), statement);
          for (const element of text.slice(2, -2).split(', ')) {
            const key = `element ${name} ${element.split(' : ')[0]}`;
            const ref = refsOf(element)[0] ?? '';
            if (ref && verb === 'add') assert(names.has(ref), `${statement} refers to ${ref}`);
            if (verb === 'add') elementRefs.set(key, ref);
            else assert(elementRefs.delete(key), `${statement}: no such element`);
          }
        } else if (verb === 'delete') {
          for (const refs of chainRefs.values()) assert(!refs.includes(name), `${statement}: still used by a rule`);
          for (const ref of elementRefs.values()) assert.notEqual(ref, name, `${statement}: still used by an element`);
          names.delete(name);
          chainRefs.delete(name);
        }
      }
      assert.deepEqual(names, new Set([...desired.keys()].filter((k) => !k.startsWith('element')).map((k) => k.split(' ')[1] as string)));
    }),
  );
});

test('an endpoint replaced in a service of five changes one numbered element', () => {
  const before = frontendWith([1, 2, 3, 4, 5]);
  const after = frontendWith([1, 2, 4, 5, 6]);
  const placed = { ...after, endpoints: keepPlaces(before.endpoints, after.endpoints) };
  const others = Array.from({ length: 50 }, (_, i) => ({ ...frontendWith([i + 1]), address: `10.96.1.${i}` }));
  const changes = difference(ruleSetOf(planOf([before, ...others]), options), ruleSetOf(planOf([placed, ...others]), options));
  const numbered = changes.filter((c) => c.key.startsWith('element endpoints'));
  assert.deepEqual(numbered, [{ key: 'element endpoints-tcp 10.96.0.1 . 80 . 2', before: '10.1.0.3 . 80', after: '10.1.0.6 . 80' }]);
});

test('an endpoint that goes costs its own number and the last, whatever the size', () => {
  const before = frontendWith([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  const after = frontendWith([1, 3, 4, 5, 6, 7, 8, 9]);
  const placed = { ...after, endpoints: keepPlaces(before.endpoints, after.endpoints) };
  const changes = difference(ruleSetOf(planOf([before]), options), ruleSetOf(planOf([placed]), options));
  assert.equal(changes.filter((c) => c.key.startsWith('element endpoints')).length, 2);
});

test('keeping places loses and invents no endpoint', () => {
  fc.assert(
    fc.property(endpoints, endpoints, (previous, next) => {
      const kept = keepPlaces(previous, next);
      const names = (list: readonly Endpoint[]) => list.map((e) => `${e.address}:${e.port}`).sort();
      assert.deepEqual(names(kept), names(next));
    }),
  );
});

test('source ranges are written as the kernel shows them', () => {
  assert.deepEqual(normalRanges(['10.1.2.3/8', '10.9.0.0/16', '192.0.2.1/32', '192.0.2.1']), ['10.0.0.0/8', '192.0.2.1']);
});

function frontendWith(numbers: number[]): Frontend {
  return {
    of: 'default/a',
    scope: 'any',
    address: '10.96.0.1',
    protocol: 'tcp',
    port: 80,
    endpoints: numbers.map((n) => ({ address: `10.1.0.${n}`, port: 80 })),
    masquerade: 'never',
    whenEmpty: 'reject',
    affinitySeconds: 0,
  };
}
