// What the server has pods tolerate by itself: nodes that were lost a moment ago, and nodes set aside for the extended
// resources that a pod asks for (admission plug-ins DefaultTolerationSeconds and ExtendedResourceToleration).

import type { Pod } from '../../api/core.ts';
import { isExtendedResource } from '../resources/resource-lists.ts';
import { type AdmissionPlugin, isPodWrite } from './admission.ts';

type Toleration = NonNullable<NonNullable<Pod['spec']>['tolerations']>[number];

/** How long a lost node's pods stay. */
export interface LostNodeSeconds {
  readonly notReady: number;
  readonly unreachable: number;
}

const defaultSeconds: LostNodeSeconds = Object.freeze({ notReady: 300, unreachable: 300 });

/** A lost node's pods stay for a while, unless they say how long themselves. */
export const defaultTolerationSeconds = ({ notReady, unreachable }: LostNodeSeconds = defaultSeconds): AdmissionPlugin => ({
  name: 'DefaultTolerationSeconds',
  operations: ['CREATE', 'UPDATE'],
  handles: isPodWrite,
  admit({ object }) {
    const { spec } = object as Pod;
    if (!spec) return;
    const taints = [
      ['node.kubernetes.io/not-ready', notReady],
      ['node.kubernetes.io/unreachable', unreachable],
    ] as const;
    for (const [key, tolerationSeconds] of taints) {
      if (spec.tolerations?.some((toleration) => toleratesEviction(toleration, key))) continue;
      spec.tolerations ??= [];
      spec.tolerations.push({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds });
    }
  },
});

const toleratesEviction = ({ key, effect }: Toleration, taint: string) => (!key || key === taint) && (!effect || effect === 'NoExecute');

export const extendedResourceToleration: AdmissionPlugin = {
  name: 'ExtendedResourceToleration',
  operations: ['CREATE', 'UPDATE'],
  handles: isPodWrite,
  admit({ object }) {
    const { spec } = object as Pod;
    if (!spec) return;
    const wanted = new Set<string>();
    for (const containers of [spec.containers, spec.initContainers])
      for (const { resources } of containers ?? []) for (const name in resources?.requests) if (isExtendedResource(name)) wanted.add(name);
    for (const key of [...wanted].sort()) addToleration(spec, { key, operator: 'Exists', effect: 'NoSchedule' });
  },
};

/** In the place of one that differs in nothing but how long it holds. */
function addToleration(spec: NonNullable<Pod['spec']>, added: Toleration): void {
  const isAlike = ({ key, operator, value, effect }: Toleration) =>
    key === added.key && operator === added.operator && !value && effect === added.effect;
  const tolerations = spec.tolerations ?? [];
  const replaced = tolerations.map((each) => (isAlike(each) ? added : each));
  spec.tolerations = tolerations.some(isAlike) ? replaced : [...tolerations, added];
}
