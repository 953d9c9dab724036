// Makes the cluster what a Site asks for: its page in a ConfigMap, a Deployment that serves it, a Service before that and its
// host noted; and tells in the status how far that is.

import { K8s, kind } from 'kubernetes-fluent-client';
import { giveHostBack, takeHost } from './hosts.ts';
import { hostFinalizer, Site, siteLabel } from './site.ts';

export async function reconcile(namespace: string, name: string): Promise<void> {
  const sites = () => K8s(Site).InNamespace(namespace);
  const site = await orAbsent(sites().Get(name));
  if (!site?.metadata) return;
  const owner = `${namespace}.${name}`;
  const { finalizers = [], deletionTimestamp, generation = 0, uid = '' } = site.metadata;
  const { host = '', replicas = 1 } = site.spec;
  if (deletionTimestamp) {
    if (!finalizers.includes(hostFinalizer)) return;
    await giveHostBack(owner);
    await sites().Finalize('remove', hostFinalizer, name);
    console.log(`${owner} gave ${host} back`);
    return;
  }
  if (!finalizers.includes(hostFinalizer)) await sites().Finalize('add', hostFinalizer, name);
  await takeHost(owner, host);

  const metadata = {
    name: `site-${name}`,
    namespace,
    labels: { [siteLabel]: name },
    ownerReferences: [{ apiVersion: 'operator.example.com/v1', kind: 'Site', name, uid, controller: true, blockOwnerDeletion: true }],
  };
  const ports = [{ name: 'http', port: 80 }];
  await K8s(kind.ConfigMap).Apply({ metadata, data: { 'index.html': site.spec.text } }, { force: true });
  await K8s(kind.Service).Apply({ metadata, spec: { selector: metadata.labels, ports } }, { force: true });
  const deployment = await K8s(kind.Deployment).Apply({ metadata, spec: deploymentSpec(name, replicas) }, { force: true });

  const { readyReplicas = 0 } = deployment.status ?? {};
  const phase = readyReplicas >= replicas ? 'Serving' : 'Starting';
  const { status: old } = site;
  if (old?.phase === phase && old.readyReplicas === readyReplicas && old.observedGeneration === generation) return;
  await K8s(Site).PatchStatus({ metadata: { name, namespace }, status: { phase, readyReplicas, observedGeneration: generation } });
  console.log(`${owner} is ${phase}: ${readyReplicas} of ${replicas} at ${host}`);
}

function deploymentSpec(name: string, replicas: number) {
  const labels = { [siteLabel]: name };
  const httpd = {
    name: 'httpd',
    image: 't8s.local/busybox:1',
    command: ['httpd', '-f', '-p', '80', '-h', '/page'],
    ports: [{ containerPort: 80 }],
    volumeMounts: [{ name: 'page', mountPath: '/page' }],
  };
  const volumes = [{ name: 'page', configMap: { name: `site-${name}` } }];
  const spec = { terminationGracePeriodSeconds: 0, containers: [httpd], volumes };
  return { replicas, selector: { matchLabels: labels }, template: { metadata: { labels }, spec } };
}

/** undefined where there is nothing of that name. */
async function orAbsent<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (typeof error === 'object' && error !== null && 'status' in error && error.status === 404) return undefined;
    throw error;
  }
}
