import assert from 'node:assert/strict';
import { test } from 'node:test';
import { normalizeImageName } from './image-name.ts';

test('a short name is written out as Docker means it, a full one stays', () => {
  const names = {
    busybox: 'docker.io/library/busybox:latest',
    'busybox:1.36': 'docker.io/library/busybox:1.36',
    'team/app': 'docker.io/team/app:latest',
    'localhost/app:2': 'localhost/app:2',
    'localhost:5000/app': 'localhost:5000/app:latest',
    'registry.example/team/app:3': 'registry.example/team/app:3',
    'registry.example:5000/app': 'registry.example:5000/app:latest',
    'app@sha256:0123': 'docker.io/library/app@sha256:0123',
  };
  for (const [short, full] of Object.entries(names)) assert.equal(normalizeImageName(short), full);
});
