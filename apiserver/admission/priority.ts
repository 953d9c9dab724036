// A pod's priority comes from its class and from nowhere else (admission plug-in Priority).

import type { Pod } from '../../api/core.ts';
import { type PriorityClass, priorityClasses } from '../../api/scheduling.ts';
import { type AdmissionAttributes, type AdmissionPlugin, isPodWrite, refusal } from './admission.ts';
import type { ClusterView } from './cluster-view.ts';

const isClassWrite = ({ kind, subresource }: AdmissionAttributes) =>
  kind.plural === 'priorityclasses' && kind.group === priorityClasses.group && subresource === '';

/** Of several global defaults, which only a race can make, the least important one. */
function globalDefault(view: ClusterView): PriorityClass | undefined {
  let found: PriorityClass | undefined;
  for (const each of view.list(priorityClasses)) if (each.globalDefault && (!found || (each.value ?? 0) < (found.value ?? 0))) found = each;
  return found;
}

export function priority(view: ClusterView): AdmissionPlugin {
  return {
    name: 'Priority',
    operations: ['CREATE', 'UPDATE'],
    handles: (attributes) => isPodWrite(attributes) || isClassWrite(attributes),
    async admit(attributes) {
      if (!isPodWrite(attributes)) return;
      const { spec } = attributes.object as Pod;
      if (!spec) return;
      if (attributes.operation === 'UPDATE') {
        const old = (attributes.old as Pod).spec;
        if (spec.priority === undefined && old?.priority !== undefined) spec.priority = old.priority;
        if (spec.preemptionPolicy === undefined && old?.preemptionPolicy !== undefined) spec.preemptionPolicy = old.preemptionPolicy;
        return;
      }
      const refuse = (why: string) => refusal(attributes, why);
      const named = spec.priorityClassName;
      const found = named ? await view.get(priorityClasses, '', named) : globalDefault(view);
      if (named && !found) throw refuse(`no PriorityClass with name ${named} was found`);
      if (found?.metadata?.name && !named) spec.priorityClassName = found.metadata.name;
      const value = found?.value ?? 0;
      const policy = found?.preemptionPolicy ?? 'PreemptLowerPriority';
      const computed = 'must not be provided in pod spec; priority admission controller computed';
      if (spec.priority !== undefined && spec.priority !== value)
        throw refuse(`the integer value of priority (${spec.priority}) ${computed} ${value} from the given PriorityClass name`);
      if (spec.preemptionPolicy !== undefined && spec.preemptionPolicy !== policy)
        throw refuse(
          `the string value of PreemptionPolicy (${spec.preemptionPolicy}) ${computed} ${policy} from the given PriorityClass name`,
        );
      spec.priority = value;
      spec.preemptionPolicy = policy;
    },
    validate(attributes) {
      if (!isClassWrite(attributes) || !(attributes.object as PriorityClass).globalDefault) return;
      const present = globalDefault(view)?.metadata?.name;
      if (present === undefined || (attributes.operation === 'UPDATE' && present === attributes.name)) return;
      throw refusal(attributes, `PriorityClass ${present} is already marked as default. Only one default can exist`);
    },
  };
}
