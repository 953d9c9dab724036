import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod } from '../../api/core.ts';
import type { FieldError } from '../../api/field-error.ts';
import { defaultPod } from './pod-defaults.ts';
import { validateEphemeralContainersUpdate, validatePodResize, validatePodStatusUpdate, validatePodUpdate } from './pod-update.ts';

function pod(change: (pod: Pod) => void = () => {}): Pod {
  const fresh: Pod = {
    metadata: { name: 'web', namespace: 'default' },
    spec: {
      containers: [{ name: 'a', image: 'a:1', resources: { requests: { cpu: '1' } } }],
      tolerations: [{ key: 'k', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 5 }],
    },
    status: { phase: 'Running', qosClass: 'Burstable' },
  };
  change(fresh);
  defaultPod(fresh);
  return fresh;
}

const texts = (errors: FieldError[]) => errors.map(({ field, message }) => `${field}: ${message}`);

test('an update may change images, shorten the deadline and add tolerations', () => {
  const changed = pod(({ spec }) => {
    spec!.containers[0]!.image = 'a:2';
    spec!.activeDeadlineSeconds = 10;
    spec!.tolerations = [
      { key: 'k', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 7 },
      { key: 'l', operator: 'Exists' },
    ];
  });
  // Kubernetes sets Always for `latest` only, so the pull policy stays.
  assert.deepEqual(texts(validatePodUpdate(changed, pod())), []);
});

test('an update may not change anything else, and is told what differs', () => {
  const [error, ...more] = validatePodUpdate(
    pod(({ spec }) => {
      spec!.nodeName = 'n1';
    }),
    pod(),
  );
  assert.equal(more.length, 0);
  assert.equal(error?.type, 'FieldValueForbidden');
  assert.equal(error.field, 'spec');
  assert.match(error.message, /^Forbidden: pod updates may not change fields other than `spec\.containers\[\*\]\.image`,/);
  assert.match(error.message, /\n\+ +\tNodeName: "n1",\n/);
});

test('an update may not add containers, lengthen the deadline or take tolerations away', () => {
  const added = pod(({ spec }) => spec!.containers.push({ name: 'b', image: 'b' }));
  assert.deepEqual(texts(validatePodUpdate(added, pod())), ['spec.containers: Forbidden: pod updates may not add or remove containers']);
  const withDeadline = (seconds: number) =>
    pod(({ spec }) => {
      spec!.activeDeadlineSeconds = seconds;
    });
  assert.deepEqual(texts(validatePodUpdate(withDeadline(9), withDeadline(8))), [
    'spec.activeDeadlineSeconds: Invalid value: 9: must be less than or equal to previous value',
  ]);
  const untolerant = pod(({ spec }) => {
    spec!.tolerations = [];
  });
  assert.deepEqual(texts(validatePodUpdate(untolerant, pod())), [
    'spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds',
  ]);
});

test('a gated pod may narrow where it runs; an ungated one may not', () => {
  const gated = (nodeSelector: Record<string, string>, isGated = true) =>
    pod(({ spec }) => {
      spec!.nodeSelector = nodeSelector;
      if (isGated) spec!.schedulingGates = [{ name: 'x.io/gate' }];
    });
  assert.deepEqual(texts(validatePodUpdate(gated({ a: 'b', c: 'd' }), gated({ a: 'b' }))), []);
  assert.match(texts(validatePodUpdate(gated({}), gated({ a: 'b' })))[0] ?? '', /only additions to spec\.nodeSelector are allowed/);
  assert.match(texts(validatePodUpdate(gated({ a: 'b' }, false), gated({}, false)))[0] ?? '', /pod updates may not change fields/);
});

test('a container that has ended for good may not be reported running again', () => {
  const withState = (state: object, restartPolicy: string) =>
    pod(({ spec, status }) => {
      spec!.restartPolicy = restartPolicy;
      status!.containerStatuses = [{ name: 'a', image: 'a', imageID: 'a', ready: false, restartCount: 0, state }];
    });
  const ended = { terminated: { exitCode: 1 } };
  const check = (policy: string) => texts(validatePodStatusUpdate(withState({ running: {} }, policy), withState(ended, policy)));
  assert.deepEqual(check('Never'), ['status.containerStatuses[0].state: Forbidden: may not be transitioned to non-terminated state']);
  assert.deepEqual(check('OnFailure'), []);
  assert.deepEqual(check('Always'), []);
});

test('ephemeral containers may be added, not changed or removed', () => {
  const withImages = (...images: string[]) =>
    pod(({ spec }) => {
      spec!.ephemeralContainers = images.map((image, i) => ({ name: `e${i}`, image }));
    });
  assert.deepEqual(texts(validateEphemeralContainersUpdate(withImages('x', 'y'), withImages('x'))), []);
  assert.match(texts(validateEphemeralContainersUpdate(withImages(), withImages('x')))[0] ?? '', /"e0" may not be removed/);
  assert.match(texts(validateEphemeralContainersUpdate(withImages('z'), withImages('x')))[0] ?? '', /"e0" may not be changed/);
});

test('a resize may change cpu and memory within the class of service, nothing else', () => {
  const withRequests = (requests: Record<string, string>, image = 'a:1') =>
    pod(({ spec }) => {
      spec!.containers[0] = { name: 'a', image, resources: { requests } };
    });
  const old = withRequests({ cpu: '1' });
  assert.deepEqual(texts(validatePodResize(withRequests({ cpu: '2' }), old)), []);
  assert.match(texts(validatePodResize(withRequests({ cpu: '2' }, 'a:2'), old))[0] ?? '', /only cpu and memory resources are mutable/);
  assert.match(texts(validatePodResize(withRequests({}), old))[0] ?? '', /Pod QOS Class may not change as a result of resizing/);
});
