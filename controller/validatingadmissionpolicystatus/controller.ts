// Puts into the status of validating admission policies what type checking finds in their expressions, once for each generation
// (kube-controller-manager's validatingadmissionpolicy-status-controller).

import { type ValidatingAdmissionPolicy, validatingAdmissionPolicies } from '../../api/admissionregistration.ts';
import { type Controller, controller, settled } from '../../client/controller.ts';

/** What is wrong with a policy's expressions, given the types that are served now. */
export type CheckPolicyTypes = (policy: ValidatingAdmissionPolicy) => { fieldRef: string; warning: string }[];

const name = 'validatingadmissionpolicy-status-controller';

export function policyStatusController(check: CheckPolicyTypes): Controller {
  return controller({
    name,
    queueName: 'validatingadmissionpolicy-status',
    of: validatingAdmissionPolicies,
    async reconcile(policy, { api }) {
      const { metadata = {}, status } = policy;
      const generation = metadata.generation ?? 0;
      if (generation <= (status?.observedGeneration ?? 0)) return settled;
      const expressionWarnings = check(policy);
      const applied = {
        apiVersion: 'admissionregistration.k8s.io/v1',
        kind: 'ValidatingAdmissionPolicy',
        metadata: { name: metadata.name },
        status: { observedGeneration: generation, typeChecking: expressionWarnings.length ? { expressionWarnings } : {} },
      };
      const at = { name: metadata.name ?? '' };
      await api.patch(validatingAdmissionPolicies, at, 'apply', applied, { subresource: 'status', fieldManager: name, force: true });
      return settled;
    },
  });
}
