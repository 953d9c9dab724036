import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { after, before, test } from 'node:test';
import { systemClock } from '../../base/clock.ts';
import { createAuthority } from '../pki/certificates.ts';
import { type ServerFixture, startServer } from '../server-fixture.ts';
import { cidrWarnings } from './address-warnings.ts';
import { tlsPairProblem } from './tls-pair-warnings.ts';

let server: ServerFixture;
before(async () => {
  server = await startServer();
});
after(() => server.close());

/** The texts of all Warning headers, which the server joins with commas. */
const textsOf = (headers: Record<string, string>) =>
  [...(headers['warning'] ?? '').matchAll(/299 - "((?:[^"\\]|\\.)*)"/g)].map((match) => (match[1] as string).replace(/\\(.)/g, '$1'));

const container = { name: 'c', image: 'example.com/c:1' };
const withContainer = (more: object) => ({ containers: [{ ...container, ...more }] });
const nullSelector = 'a null labelSelector results in matching no pod';
const term = { topologyKey: 'kubernetes.io/hostname' };
const hidden = 'hides previous definition of "A", which may be dropped when using apply';
const dnsLabel = 'can result in surprising behavior; a DNS label is recommended: [must not contain dots]';

interface PodCase {
  spec?: object;
  annotations?: Record<string, string>;
  warns: string[];
}

const podCases: Record<string, PodCase> = {
  'nothing odd': { warns: [] },
  'an old label of nodes in a selector': {
    spec: { nodeSelector: { 'beta.kubernetes.io/arch': 'amd64' } },
    warns: ['spec.nodeSelector[beta.kubernetes.io/arch]: deprecated since v1.14; use "kubernetes.io/arch" instead'],
  },
  'old labels of nodes in affinity': {
    spec: {
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [{ matchExpressions: [{ key: 'node-role.kubernetes.io/master', operator: 'Exists' }] }],
          },
          preferredDuringSchedulingIgnoredDuringExecution: [
            { weight: 1, preference: { matchExpressions: [{ key: 'beta.kubernetes.io/os', operator: 'In', values: ['linux'] }] } },
          ],
        },
      },
    },
    warns: [
      'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[0].key: node-role.kubernetes.io/master is use "node-role.kubernetes.io/control-plane" instead',
      'spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].preference.matchExpressions[0].key: beta.kubernetes.io/os is deprecated since v1.14; use "kubernetes.io/os" instead',
    ],
  },
  'spreading by an old label, without a selector': {
    spec: {
      topologySpreadConstraints: [
        { maxSkew: 1, whenUnsatisfiable: 'ScheduleAnyway', topologyKey: 'failure-domain.beta.kubernetes.io/zone' },
      ],
    },
    warns: [
      'spec.topologySpreadConstraints[0].topologyKey: failure-domain.beta.kubernetes.io/zone is deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
      `spec.topologySpreadConstraints[0].labelSelector: ${nullSelector}`,
    ],
  },
  'affinity to no pod': {
    spec: {
      affinity: {
        podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] },
        podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, podAffinityTerm: term }] },
      },
    },
    warns: [
      `spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].labelSelector: ${nullSelector}`,
      `spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].podAffinityTerm.labelSelector: ${nullSelector}`,
    ],
  },
  'annotations that do nothing': {
    annotations: {
      'scheduler.alpha.kubernetes.io/critical-pod': '',
      'security.alpha.kubernetes.io/sysctls': '',
      'security.alpha.kubernetes.io/unsafe-sysctls': '',
      'seccomp.security.alpha.kubernetes.io/pod': 'runtime/default',
      'container.seccomp.security.alpha.kubernetes.io/c': 'runtime/default',
    },
    warns: [
      'metadata.annotations[scheduler.alpha.kubernetes.io/critical-pod]: non-functional in v1.16+; use the "priorityClassName" field instead',
      'metadata.annotations[security.alpha.kubernetes.io/sysctls]: non-functional in v1.11+; use the "sysctls" field instead',
      'metadata.annotations[security.alpha.kubernetes.io/unsafe-sysctls]: non-functional in v1.11+; use the "sysctls" field instead',
      'metadata.annotations[seccomp.security.alpha.kubernetes.io/pod]: non-functional in v1.27+; use the "seccompProfile" field instead',
      'metadata.annotations[container.seccomp.security.alpha.kubernetes.io/c]: non-functional in v1.27+; use the "seccompProfile" field instead',
    ],
  },
  'volumes of the past': {
    spec: {
      volumes: [
        { name: 'a', photonPersistentDisk: { pdID: 'x' } },
        { name: 'b', gitRepo: { repository: 'https://example.com/r.git' } },
        { name: 'c', scaleIO: { gateway: 'g', system: 's', volumeName: 'v', secretRef: { name: 's' } } },
        { name: 'd', flocker: { datasetName: 'd' } },
        { name: 'e', storageos: { volumeName: 'v' } },
        { name: 'f', quobyte: { registry: 'a:1', volume: 'v' } },
        { name: 'g', glusterfs: { endpoints: 'e', path: 'p' } },
        { name: 'h', cephfs: { monitors: ['m'] } },
        { name: 'i', rbd: { monitors: ['m'], image: 'i' } },
      ],
    },
    warns: [
      'spec.volumes[0].photonPersistentDisk: deprecated in v1.11, non-functional in v1.16+',
      'spec.volumes[1].gitRepo: deprecated in v1.11, and disabled by default in v1.33+',
      'spec.volumes[2].scaleIO: deprecated in v1.16, non-functional in v1.22+',
      'spec.volumes[3].flocker: deprecated in v1.22, non-functional in v1.25+',
      'spec.volumes[4].storageOS: deprecated in v1.22, non-functional in v1.25+',
      'spec.volumes[5].quobyte: deprecated in v1.22, non-functional in v1.25+',
      'spec.volumes[6].glusterfs: deprecated in v1.25, non-functional in v1.26+',
      'spec.volumes[7].cephfs: deprecated in v1.28, non-functional in v1.31+',
      'spec.volumes[8].rbd: deprecated in v1.28, non-functional in v1.31+',
    ],
  },
  'a token under the path of something else': {
    spec: {
      serviceAccountName: 'default',
      volumes: [
        {
          name: 'p',
          projected: {
            sources: [{ serviceAccountToken: { path: 'token' } }, { configMap: { name: 'm', items: [{ key: 'k', path: 'other' }] } }],
          },
        },
        {
          name: 'q',
          projected: {
            sources: [
              { serviceAccountToken: { path: 'token' } },
              { secret: { name: 's', items: [{ key: 'k', path: 'token' }] } },
              { downwardAPI: { items: [{ path: 'token/name', fieldRef: { fieldPath: 'metadata.name' } }] } },
            ],
          },
        },
      ],
    },
    warns: [
      'volume "q" (Projected): overlapping paths: "token" (Secret "s") with "token" (ServiceAccountToken)',
      'volume "q" (Projected): overlapping paths: "token/name" (DownwardAPI) with "token" (ServiceAccountToken)',
      'volume "q" (Projected): overlapping paths: "token/name" (DownwardAPI) with "token" (Secret "s")',
    ],
  },
  'files of a volume inside one another': {
    spec: {
      volumes: [
        { name: 'm', configMap: { name: 'c', items: ['a/b', 'a', 'ab'].map((path, i) => ({ key: `k${i}`, path })) } },
        { name: 's', secret: { secretName: 'n', items: ['x', 'x'].map((path, i) => ({ key: `k${i}`, path })) } },
        {
          name: 'd',
          downwardAPI: { items: ['y', 'y/z'].map((path) => ({ path, fieldRef: { fieldPath: 'metadata.name' } })) },
        },
      ],
    },
    warns: [
      'volume "m" (ConfigMap "c"): overlapping paths: "a" with "a/b"',
      'volume "s" (Secret "n"): overlapping paths: "x" with "x"',
      'volume "d" (DownwardAPI): overlapping paths: "y/z" with "y"',
    ],
  },
  'addresses that are not in their canonical form': {
    spec: {
      dnsPolicy: 'None',
      dnsConfig: { nameservers: ['2001:db8:0:0::2'] },
      hostAliases: [{ ip: '2001:DB8::1', hostnames: ['a'] }],
    },
    warns: [
      'spec.dnsConfig.nameservers[0]: IPv6 address "2001:db8:0:0::2" should be in RFC 5952 canonical format ("2001:db8::2")',
      'spec.hostAliases[0].ip: IPv6 address "2001:DB8::1" should be in RFC 5952 canonical format ("2001:db8::1")',
    ],
  },
  'names of ports in two containers': {
    spec: {
      containers: [
        { ...container, ports: [{ containerPort: 80, name: 'http' }] },
        { ...container, name: 'd', ports: [{ containerPort: 81, name: 'http' }] },
      ],
    },
    warns: [
      'spec.containers[1].ports[0]: duplicate port name "http" with spec.containers[0].ports[0], services and probes that select ports by name will use spec.containers[0].ports[0]',
    ],
  },
  'secrets twice, or none': {
    spec: { imagePullSecrets: [{ name: 'a' }, { name: 'a' }, { name: '' }] },
    warns: ['spec.imagePullSecrets[1].name: duplicate name "a"', 'spec.imagePullSecrets[2].name: invalid empty name ""'],
  },
  'host aliases twice': {
    spec: {
      hostAliases: [
        { ip: '10.0.0.1', hostnames: ['a'] },
        { ip: '10.0.0.1', hostnames: ['b'] },
      ],
    },
    warns: ['spec.hostAliases[1].ip: duplicate ip "10.0.0.1"'],
  },
  'parts of bytes': {
    spec: withContainer({ resources: { limits: { memory: '0.5' }, requests: { memory: '100m', 'ephemeral-storage': '1500m' } } }),
    warns: [
      'spec.containers[0].resources.limits[memory]: fractional byte value "500m" is invalid, must be an integer',
      'spec.containers[0].resources.requests[memory]: fractional byte value "100m" is invalid, must be an integer',
      'spec.containers[0].resources.requests[ephemeral-storage]: fractional byte value "1500m" is invalid, must be an integer',
    ],
  },
  'variables that hide others': {
    spec: withContainer({
      env: [
        { name: 'A', value: '1' },
        { name: 'A', value: '2' },
        { name: 'A', value: '$(A)' },
        { name: 'A', value: '$(A)3' },
      ],
    }),
    warns: [`spec.containers[0].env[1]: ${hidden}`, `spec.containers[0].env[2]: ${hidden}`],
  },
  'ports twice': {
    spec: {
      containers: [
        { ...container, ports: [{ containerPort: 80 }] },
        { ...container, name: 'd', ports: [{ containerPort: 80 }, { containerPort: 80, hostPort: 8080 }] },
      ],
    },
    warns: [
      'spec.containers[1].ports[0]: duplicate port definition with spec.containers[0].ports[0]',
      'spec.containers[1].ports[1]: overlapping port definition with spec.containers[0].ports[0]',
      'spec.containers[1].ports[1]: overlapping port definition with spec.containers[1].ports[0]',
    ],
  },
  'a port of the host that may be one or all addresses': {
    spec: withContainer({
      ports: [
        { containerPort: 80, hostPort: 80 },
        { containerPort: 80, hostPort: 80, hostIP: '10.0.0.1' },
      ],
    }),
    warns: ['spec.containers[0].ports[1]: dangerously ambiguous port definition with spec.containers[0].ports[0]'],
  },
  'an address of the host without its port': {
    spec: withContainer({ ports: [{ containerPort: 80, hostIP: '10.0.0.1' }] }),
    warns: ['spec.containers[0].ports[0]: hostIP set without hostPort: {Name: HostPort:0 ContainerPort:80 Protocol:TCP HostIP:10.0.0.1}'],
  },
};

test('who makes a pod is warned of what will not do what it seems to', async () => {
  for (const [title, { spec = {}, annotations = {}, warns }] of Object.entries(podCases)) {
    const body = { metadata: { name: 'p', annotations }, spec: { ...withContainer({}), ...spec } };
    const { status, headers, text } = await server.ask('POST', '/api/v1/namespaces/default/pods?dryRun=All', body);
    assert.equal(status, 201, `${title}: ${text}`);
    assert.deepEqual(textsOf(headers), warns, title);
  }
});

test('a pod whose name is no label warns; a change of it does not', async () => {
  const path = '/api/v1/namespaces/default/pods';
  const named = await server.ask('POST', path, {
    metadata: { name: 'a.b' },
    spec: withContainer({ ports: [{ containerPort: 1, hostIP: '10.0.0.1' }] }),
  });
  assert.equal(textsOf(named.headers)[0], `metadata.name: this is used in the Pod's hostname, which ${dnsLabel}`);
  const changed = await server.ask(
    'PATCH',
    `${path}/a.b`,
    { metadata: { labels: { a: 'b' } } },
    { 'content-type': 'application/merge-patch+json' },
  );
  assert.deepEqual([changed.status, textsOf(changed.headers)], [200, []]);
});

test('templates warn with their path: when they are made, and when what is wanted changes', async () => {
  const selector = { matchLabels: { a: 'b' } };
  const template = { metadata: { labels: { a: 'b' } }, spec: { ...withContainer({}), nodeSelector: { 'beta.kubernetes.io/os': 'linux' } } };
  const jobTemplate = { spec: { ...template.spec, restartPolicy: 'Never' } };
  const old = (at: string) => `${at}.spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use "kubernetes.io/os" instead`;
  const name = `metadata.name: this is used in Pod names and hostnames, which ${dnsLabel}`;
  const claim = { metadata: { name: 'c' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '0.1' } } } };
  const claimWarning =
    'spec.volumeClaimTemplates[0].resources.requests[storage]: fractional byte value "100m" is invalid, must be an integer';
  const large = { completionMode: 'Indexed', completions: 100_001, parallelism: 10_001, template: jobTemplate };
  const largeWarning = (at: string) =>
    `${at}: In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes fail`;
  const cases: [path: string, body: object, warns: string[]][] = [
    ['/apis/apps/v1/namespaces/default/deployments', { spec: { selector, template } }, [name, old('spec.template')]],
    ['/apis/apps/v1/namespaces/default/replicasets', { spec: { selector, template } }, [name, old('spec.template')]],
    ['/apis/apps/v1/namespaces/default/daemonsets', { spec: { selector, template } }, [old('spec.template')]],
    [
      '/apis/apps/v1/namespaces/default/statefulsets',
      { spec: { selector, template, serviceName: 's', volumeClaimTemplates: [claim], revisionHistoryLimit: -1 } },
      [
        old('spec.template'),
        claimWarning,
        'spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended',
      ],
    ],
    ['/api/v1/namespaces/default/replicationcontrollers', { spec: { selector: { a: 'b' }, template } }, [name, old('spec.template')]],
    ['/apis/batch/v1/namespaces/default/jobs', { spec: large }, [name, largeWarning('spec'), old('spec.template')]],
    [
      '/apis/batch/v1/namespaces/default/cronjobs',
      { spec: { schedule: '@daily', jobTemplate: { spec: large } } },
      [name, largeWarning('spec.jobTemplate.spec'), old('spec.jobTemplate.spec.template')],
    ],
    ['/api/v1/namespaces/default/podtemplates', { template }, [old('template')]],
  ];
  for (const [path, body, warns] of cases) {
    const { status, headers, text } = await server.ask('POST', `${path}?dryRun=All`, { metadata: { name: 'a.b' }, ...body });
    assert.equal(status, 201, text);
    assert.deepEqual(textsOf(headers), warns, path);
  }
  const path = '/apis/apps/v1/namespaces/default/deployments';
  await server.ask('POST', path, { metadata: { name: 'd' }, spec: { selector, template } });
  const patch = async (body: object) =>
    textsOf((await server.ask('PATCH', `${path}/d`, body, { 'content-type': 'application/merge-patch+json' })).headers);
  assert.deepEqual(await patch({ metadata: { labels: { x: 'y' } } }), []);
  assert.deepEqual(await patch({ spec: { replicas: 2 } }), [old('spec.template')]);
});

test('services, volumes, claims, ingresses, classes, endpoints and accounts warn of what is no more', async () => {
  const port = { port: 80 };
  const pv = { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/x' } };
  const classes = 'volume.beta.kubernetes.io/storage-class';
  const deprecatedIps = 'spec.externalIPs is deprecated and may no longer be implemented in some clusters';
  const cases: [path: string, body: object, warns: string[]][] = [
    [
      '/api/v1/namespaces/default/services',
      {
        metadata: { annotations: { 'service.kubernetes.io/topology-aware-hints': 'auto' } },
        spec: { ports: [port], trafficDistribution: 'PreferClose', externalIPs: ['2001:DB8:0:0::1'] },
      },
      [
        'annotation service.kubernetes.io/topology-aware-hints is deprecated, please use service.kubernetes.io/topology-mode instead',
        'spec.externalIPs[0]: IPv6 address "2001:DB8:0:0::1" should be in RFC 5952 canonical format ("2001:db8::1")',
        deprecatedIps,
        'spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"',
      ],
    ],
    [
      '/api/v1/namespaces/default/services',
      {
        spec: { ports: [port], clusterIP: 'None', sessionAffinity: 'ClientIP', externalIPs: ['192.0.2.1'], externalName: 'x.example.com' },
      },
      [
        'spec.externalIPs is ignored for headless services',
        'spec.SessionAffinity is ignored for headless services',
        'spec.externalName is ignored when spec.type is not "ExternalName"',
      ],
    ],
    [
      '/api/v1/namespaces/default/services',
      { spec: { type: 'ExternalName', externalName: 'x.example.com', externalIPs: ['192.0.2.1'] } },
      ['spec.externalIPs is ignored when spec.type is "ExternalName"'],
    ],
    [
      '/api/v1/namespaces/default/services',
      { spec: { type: 'LoadBalancer', ports: [port], loadBalancerSourceRanges: ['10.0.0.0/8', '2001:db8:0::/64'] } },
      ['spec.loadBalancerSourceRanges[1]: IPv6 CIDR value "2001:db8:0::/64" should be in RFC 5952 canonical format ("2001:db8::/64")'],
    ],
    [
      '/api/v1/nodes',
      { spec: { externalID: 'x', podCIDRs: ['2001:DB8::/64'], podCIDR: '2001:DB8::/64' } },
      [
        'spec.externalID: this field is deprecated, and is unused by Kubernetes',
        'spec.podCIDRs[0]: IPv6 CIDR value "2001:DB8::/64" should be in RFC 5952 canonical format ("2001:db8::/64")',
      ],
    ],
    [
      '/apis/networking.k8s.io/v1/namespaces/default/networkpolicies',
      {
        spec: {
          podSelector: {},
          ingress: [{ from: [{ ipBlock: { cidr: '2001:DB8::/32', except: ['2001:db8:1:0::/64'] } }] }],
          egress: [{ to: [{ podSelector: {} }, { ipBlock: { cidr: 'FD00::/8' } }] }],
        },
      },
      [
        'spec.ingress[0].from[0].ipBlock.cidr: IPv6 CIDR value "2001:DB8::/32" should be in RFC 5952 canonical format ("2001:db8::/32")',
        'spec.ingress[0].from[0].ipBlock.except[0]: IPv6 CIDR value "2001:db8:1:0::/64" should be in RFC 5952 canonical format ("2001:db8:1::/64")',
        'spec.egress[0].to[1].ipBlock.cidr: IPv6 CIDR value "FD00::/8" should be in RFC 5952 canonical format ("fd00::/8")',
      ],
    ],
    [
      '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices',
      { addressType: 'IPv6', endpoints: [{ addresses: ['2001:DB8::1'] }], ports: [] },
      ['endpoints[0].addresses[0]: IPv6 address "2001:DB8::1" should be in RFC 5952 canonical format ("2001:db8::1")'],
    ],
    [
      '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices',
      { addressType: 'FQDN', endpoints: [{ addresses: ['a.example.com'] }], ports: [] },
      ['spec.addressType: FQDN endpoints are deprecated'],
    ],
    [
      '/apis/storage.k8s.io/v1/storageclasses',
      {
        provisioner: 'example.com/p',
        allowedTopologies: [{ matchLabelExpressions: [{ key: 'failure-domain.beta.kubernetes.io/zone', values: ['a'] }] }],
      },
      ['allowedTopologies[0].matchLabelExpressions[0].key: deprecated since v1.17; use "topology.kubernetes.io/zone" instead'],
    ],
    [
      '/apis/storage.k8s.io/v1/namespaces/default/csistoragecapacities',
      {
        storageClassName: 's',
        nodeTopology: {
          matchLabels: { 'beta.kubernetes.io/arch': 'arm64' },
          matchExpressions: [{ key: 'beta.kubernetes.io/os', operator: 'Exists' }],
        },
      },
      [
        'nodeTopology.matchExpressions[0].key: beta.kubernetes.io/os is deprecated since v1.14; use "kubernetes.io/os" instead',
        'nodeTopology.matchLabels.beta.kubernetes.io/arch: deprecated since v1.14; use "kubernetes.io/arch" instead',
      ],
    ],
    [
      '/api/v1/persistentvolumes',
      {
        metadata: { annotations: { [classes]: 'x', 'volume.beta.kubernetes.io/mount-options': 'ro' } },
        spec: { ...pv, persistentVolumeReclaimPolicy: 'Recycle', hostPath: { path: '/tmp/x' } },
      },
      [
        `metadata.annotations[${classes}]: deprecated since v1.8; use "storageClassName" attribute instead`,
        'metadata.annotations[volume.beta.kubernetes.io/mount-options]: deprecated since v1.31; use "mountOptions" attribute instead',
        'spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.',
      ],
    ],
    [
      '/api/v1/persistentvolumes',
      { spec: { ...pv, hostPath: undefined, cephfs: { monitors: ['m'] } } },
      ['spec.cephfs: deprecated in v1.28, non-functional in v1.31+'],
    ],
    [
      '/api/v1/namespaces/default/persistentvolumeclaims',
      {
        metadata: { annotations: { [classes]: 'x' } },
        spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1500m' } } },
      },
      [
        `metadata.annotations[${classes}]: deprecated since v1.8; use "storageClassName" attribute instead`,
        'spec.resources.requests[storage]: fractional byte value "1500m" is invalid, must be an integer',
      ],
    ],
    [
      '/apis/networking.k8s.io/v1/namespaces/default/ingresses',
      {
        metadata: { annotations: { 'kubernetes.io/ingress.class': 'nginx' } },
        spec: { defaultBackend: { service: { name: 's', port: { number: 80 } } } },
      },
      [`annotation "kubernetes.io/ingress.class" is deprecated, please use 'spec.ingressClassName' instead`],
    ],
    [
      '/apis/node.k8s.io/v1/runtimeclasses',
      { handler: 'h', scheduling: { nodeSelector: { 'beta.kubernetes.io/arch': 'arm64' } } },
      ['scheduling.nodeSelector: deprecated since v1.14; use "kubernetes.io/arch" instead'],
    ],
    [
      '/api/v1/namespaces/default/endpoints',
      { subsets: [{ addresses: [{ ip: '2001:DB8::1' }], ports: [port] }] },
      [
        'v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice',
        'subsets[0].addresses[0].ip: IPv6 address "2001:DB8::1" should be in RFC 5952 canonical format ("2001:db8::1")',
      ],
    ],
    [
      '/api/v1/namespaces/default/serviceaccounts',
      { metadata: { annotations: { 'kubernetes.io/enforce-mountable-secrets': 'true' } } },
      [
        'metadata.annotations[kubernetes.io/enforce-mountable-secrets]: deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets',
      ],
    ],
  ];
  for (const [path, body, warns] of cases) {
    const { metadata = {} } = body as { metadata?: object };
    const { status, headers, text } = await server.ask('POST', `${path}?dryRun=All`, { ...body, metadata: { name: 'x', ...metadata } });
    assert.equal(status, 201, text);
    assert.deepEqual(textsOf(headers), warns, path);
  }
});

test('ranges that strict validation would refuse are told what they should be', () => {
  const cases: [range: string, warns: string[]][] = [
    ['192.12.2.0/24', []],
    ['192.12.2.8/24', ['x: CIDR value "192.12.2.8/24" is ambiguous in this context (should be "192.12.2.0/24" or "192.12.2.8/32"?)']],
    ['192.012.2.0/24', ['x: non-standard CIDR value "192.012.2.0/24" is invalid: use "192.12.2.0/24"']],
    ['192.12.2.0/024', ['x: non-standard CIDR value "192.12.2.0/024" is invalid: use "192.12.2.0/24"']],
    ['::ffff:192.12.2.0/120', ['x: non-standard CIDR value "::ffff:192.12.2.0/120" is invalid: use "192.12.2.0/24"']],
    ['2001:db8::8/64', ['x: CIDR value "2001:db8::8/64" is ambiguous in this context (should be "2001:db8::/64" or "2001:db8::8/128"?)']],
  ];
  for (const [range, warns] of cases) assert.deepEqual(cidrWarnings(range, 'x'), warns, range);
});

test('a TLS secret whose parts do not fit is stored with a warning', async () => {
  const [pair, other] = await Promise.all([createAuthority('a', systemClock), createAuthority('b', systemClock)]);
  const { privateKey } = generateKeyPairSync('ed25519');
  const ed25519 = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const noPem = 'tls: failed to find any PEM data in certificate input';
  const cases: [certificate: string, key: string, problem: string | undefined][] = [
    [pair.certPem, pair.keyPem, undefined],
    ['not pem', 'not pem', noPem],
    [
      pair.keyPem,
      pair.keyPem,
      'tls: failed to find certificate PEM data in certificate input, but did find a private key; PEM inputs may have been switched',
    ],
    [pair.certPem, '', 'tls: failed to find any PEM data in key input'],
    [pair.certPem, pair.certPem, 'tls: found a certificate rather than a key in the PEM for the private key'],
    [pair.certPem, other.keyPem, 'tls: private key does not match public key'],
    [pair.certPem, ed25519, 'tls: private key type does not match public key type'],
    [
      '-----BEGIN X-----\nAA==\n-----END X-----\n-----BEGIN Y-----\nAA==\n-----END Y-----\n',
      pair.keyPem,
      'tls: failed to find "CERTIFICATE" PEM block in certificate input after skipping PEM blocks of the following types: [X Y]',
    ],
    ['-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n', pair.keyPem, 'x509: malformed certificate'],
  ];
  for (const [certificate, key, problem] of cases) assert.equal(tlsPairProblem(certificate, key), problem, `${problem}`);
  const path = '/api/v1/namespaces/default/secrets';
  const stringData = { 'tls.crt': 'x', 'tls.key': 'y' };
  const { status, headers } = await server.ask('POST', path, { metadata: { name: 'tls' }, type: 'kubernetes.io/tls', stringData });
  assert.deepEqual([status, textsOf(headers)], [201, [noPem]]);
});

test('addresses in a status warn too, in the forms that older servers took', async () => {
  const path = '/apis/networking.k8s.io/v1/namespaces/default/ingresses';
  await server.ask('POST', path, { metadata: { name: 'i' }, spec: { defaultBackend: { service: { name: 's', port: { number: 80 } } } } });
  const patch = { status: { loadBalancer: { ingress: [{ hostname: 'a' }, { ip: '2001:DB8::1' }] } } };
  const { status, headers } = await server.ask('PATCH', `${path}/i/status`, patch, { 'content-type': 'application/merge-patch+json' });
  assert.deepEqual(
    [status, textsOf(headers)],
    [200, ['status.loadBalancer.ingress[1]: IPv6 address "2001:DB8::1" should be in RFC 5952 canonical format ("2001:db8::1")']],
  );
});
