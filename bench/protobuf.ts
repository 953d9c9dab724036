// What protobuf costs: encoding and decoding a typical pod, and a list of 5,000 pods from what is kept.

import { decodeMessage } from '../apiserver/protobuf/decode.ts';
import { encodeMessage } from '../apiserver/protobuf/encode.ts';
import { envelope, listParts } from '../apiserver/protobuf/envelope.ts';
import { messageOf } from '../apiserver/protobuf/message.ts';

function microseconds(rounds: number, run: () => void): number {
  for (let i = 0; i < rounds; i++) run();
  const start = process.hrtime.bigint();
  for (let i = 0; i < rounds; i++) run();
  return Number(process.hrtime.bigint() - start) / rounds / 1000;
}

const startLoad = process.hrtime.bigint();
const message = messageOf('io.k8s.api.core.v1.Pod');
const loadMs = Number(process.hrtime.bigint() - startLoad) / 1e6;
if (!message) throw new Error('no message for Pod');
const time = '2024-01-02T03:04:05Z';
const conditions = ['Initialized', 'Ready', 'ContainersReady', 'PodScheduled'].map((type) => ({
  type,
  status: 'True',
  lastTransitionTime: time,
}));
const pod = {
  metadata: {
    name: 'web-5d9c7b6f4-abcde',
    namespace: 'default',
    uid: '2f7e8a10-3a3b-4d6f-9f61-0b7a1c1f2d3e',
    resourceVersion: '12345',
    creationTimestamp: time,
    labels: { app: 'web', 'pod-template-hash': '5d9c7b6f4' },
    ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web-5d9c7b6f4', uid: 'u', controller: true }],
  },
  spec: {
    nodeName: 'node-1',
    restartPolicy: 'Always',
    serviceAccountName: 'default',
    terminationGracePeriodSeconds: 30,
    containers: [
      {
        name: 'web',
        image: 'registry.example/web:1.2.3',
        ports: [{ containerPort: 8080, protocol: 'TCP' }],
        resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { memory: '256Mi' } },
        readinessProbe: { httpGet: { path: '/', port: 8080, scheme: 'HTTP' }, periodSeconds: 10 },
        volumeMounts: [{ name: 'config', mountPath: '/etc/web' }],
      },
    ],
    volumes: [{ name: 'config', configMap: { name: 'web', defaultMode: 420 } }],
  },
  status: { phase: 'Running', podIP: '10.244.0.5', podIPs: [{ ip: '10.244.0.5' }], hostIP: '10.0.0.1', startTime: time, conditions },
};
const bytes = encodeMessage(message, pod);
const items = Array.from({ length: 5000 }, () => bytes);
const typeMeta = { apiVersion: 'v1', kind: 'PodList' };
console.log(`message table      ${loadMs.toFixed(2)} ms`);
console.log(`encode a pod       ${microseconds(20_000, () => void encodeMessage(message, pod)).toFixed(1)} µs (${bytes.length} bytes)`);
console.log(`decode a pod       ${microseconds(20_000, () => void decodeMessage(message, bytes)).toFixed(1)} µs`);
console.log(
  `list of 5,000 pods ${microseconds(20, () => void envelope(typeMeta, listParts({ resourceVersion: '1' }, items))).toFixed(0)} µs`,
);
