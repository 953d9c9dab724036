import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressIn, freeRange, nodePodCidr } from './machine-network.ts';

test('a range gives addresses by their place', () => {
  assert.equal(addressIn('10.96.0.0/16', 1), '10.96.0.1');
  assert.equal(addressIn('10.96.0.0/16', 256), '10.96.1.0');
});

test('each node gets a /24 of its own, until the range is used up', () => {
  assert.equal(nodePodCidr('10.244.0.0/16', 0), '10.244.0.0/24');
  assert.equal(nodePodCidr('10.244.0.0/16', 255), '10.244.255.0/24');
  assert.throws(() => nodePodCidr('10.244.0.0/16', 256), /room for 256 nodes/);
  assert.equal(nodePodCidr('10.9.8.0/24', 0), '10.9.8.0/24');
});

test('a range that is free is found', () => {
  assert.match(freeRange(100, 115), /^10\.1(0\d|1[0-5])\.0\.0\/16$/);
});
