// Every transcript in scenarios/, on the store it asks for: by default the embedded one; `first-cluster`, `informer`
// and `survive` on etcd as well, and `encryption-at-rest`, which looks into it, on etcd alone.

import { globSync } from 'node:fs';
import { basename } from 'node:path';
import { test } from 'node:test';
import { cannotHostMachines } from '../testing/linux-machine.ts';
import { playScenario } from './scenario.ts';

const skip = cannotHostMachines() ?? false;
const onBothStores = ['first-cluster', 'informer', 'survive'];
const onEtcdAlone = ['encryption-at-rest'];

for (const file of globSync(`${import.meta.dirname}/scenarios/*.txt`).sort()) {
  const name = basename(file, '.txt');
  if (!onEtcdAlone.includes(name)) test(name.replaceAll('-', ' '), { skip }, () => playScenario(file));
  if (onBothStores.includes(name) || onEtcdAlone.includes(name)) {
    test(`${name.replaceAll('-', ' ')}, on etcd`, { skip }, () =>
      playScenario(file, {
        upFlags: '--etcd-servers http://127.0.0.1:23790',
        async prepare(machine) {
          machine.spawn(
            [
              'etcd',
              '--data-dir',
              `${machine.directory}/etcd`,
              '--listen-client-urls',
              'http://127.0.0.1:23790',
              '--advertise-client-urls',
              'http://127.0.0.1:23790',
              '--listen-peer-urls',
              'http://127.0.0.1:23800',
              '--initial-advertise-peer-urls',
              'http://127.0.0.1:23800',
              '--initial-cluster',
              'default=http://127.0.0.1:23800',
              '--log-level',
              'error',
            ],
            { stdio: 'ignore' },
          );
        },
      }),
    );
  }
}
