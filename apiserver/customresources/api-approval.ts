// The groups of the Kubernetes community, and whether a definition in one of them says that it was approved
// (https://github.com/kubernetes/enhancements/pull/1111).

import type { CustomResourceDefinition } from '../../api/apiextensions.ts';
import type { Condition } from '../../api/conditions.ts';

export const approvedAnnotation = 'api-approved.kubernetes.io';
const seeAlso = 'see https://github.com/kubernetes/enhancements/pull/1111';

interface Approval {
  status: 'True' | 'False';
  reason: 'ApprovedAnnotation' | 'UnapprovedAnnotation' | 'MissingAnnotation' | 'InvalidAnnotation';
  message: string;
}

/** What the definition's annotation says; undefined: its group needs none. */
export function apiApprovalOf({ spec, metadata }: CustomResourceDefinition): Approval | undefined {
  if (!/(^|\.)(k8s|kubernetes)\.io$/.test(spec.group ?? '')) return undefined;
  const annotation = metadata?.annotations?.[approvedAnnotation] ?? '';
  const needed = `protected groups must have approval annotation ${JSON.stringify(approvedAnnotation)}`;
  if (annotation === '') return { status: 'False', reason: 'MissingAnnotation', message: `${needed}, ${seeAlso}` };
  if (annotation.startsWith('unapproved'))
    return { status: 'False', reason: 'UnapprovedAnnotation', message: `not approved: ${JSON.stringify(annotation)}` };
  if (/^[a-z][a-z0-9+.-]*:\/\/[^/?#]+/i.test(annotation))
    return { status: 'True', reason: 'ApprovedAnnotation', message: `approved in ${annotation}` };
  const message = `${needed} with either a URL or a reason starting with "unapproved", ${seeAlso}`;
  return { status: 'False', reason: 'InvalidAnnotation', message };
}

export function apiApprovalCondition(definition: CustomResourceDefinition, now: string): Condition | undefined {
  const approval = apiApprovalOf(definition);
  return approval && { type: 'KubernetesAPIApprovalPolicyConformant', ...approval, lastTransitionTime: now };
}
