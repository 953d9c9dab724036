// An operator as its users write one, on kubernetes-fluent-client: it watches Sites and what it made for them, and speaks
// for its webhooks. Dies with nothing said, and starts again where it was.
//
//   node e2e/operator/operator.ts CERTIFICATE KEY PORT

import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { type GenericClass, K8s, type KubernetesObject, kind } from 'kubernetes-fluent-client';
import { publishAuthority, serveAdmission } from './admission.ts';
import { reconcile } from './reconcile.ts';
import { Site, siteLabel } from './site.ts';

const [certificateFile = '', keyFile = '', port = ''] = process.argv.slice(2);
const certificate = readFileSync(certificateFile, 'utf8');
const retryMs = 500;

/** One round at a time for each Site; what happens in the meantime asks for one more. */
const rounds = new Map<string, 'running' | 'again'>();

async function settle(namespace: string, name: string): Promise<void> {
  const key = `${namespace}/${name}`;
  if (rounds.has(key)) {
    rounds.set(key, 'again');
    return;
  }
  do {
    rounds.set(key, 'running');
    try {
      await reconcile(namespace, name);
    } catch (error) {
      console.error(`${key}: ${JSON.stringify(error)}`);
      rounds.set(key, 'again');
      await pause(retryMs);
    }
  } while (rounds.get(key) === 'again');
  rounds.delete(key);
}

async function watch(model: GenericClass, siteOf: (object: KubernetesObject) => string | undefined): Promise<void> {
  const changed = async (object: KubernetesObject) => {
    const name = siteOf(object);
    if (name) await settle(object.metadata?.namespace ?? '', name);
  };
  await K8s(model).Watch(changed, { resyncDelaySec: 1 }).start();
}

const madeFor = ({ metadata }: KubernetesObject) => metadata?.labels?.[siteLabel];
serveAdmission(certificate, readFileSync(keyFile, 'utf8'), Number(port));
await publishAuthority('site-operator', certificate);
await watch(Site, ({ metadata }) => metadata?.name);
await watch(kind.Deployment, madeFor);
await watch(kind.ConfigMap, madeFor);
console.log('watching');
