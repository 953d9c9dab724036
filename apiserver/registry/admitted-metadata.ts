// What the server mends in an object's metadata, with a warning, rather than refuse the write: owner references that are
// there twice, and managedFields that mutating admission has garbled.

import { semanticEqual } from '../../api/validation/semantic-equal.ts';
import type { KubeObject } from '../../api/wire.ts';
import type { AdmissionAttributes, AdmissionChain } from '../admission/admission.ts';
import { managersProblem } from '../apply/managed-fields.ts';

/** Lets plug-ins change the object, and mends its metadata after. Mutates `attributes.object`. */
export async function admitObject(admission: AdmissionChain, attributes: AdmissionAttributes): Promise<void> {
  const { object, warn } = attributes;
  const before = object?.metadata?.managedFields;
  await admission.admit(attributes);
  if (!object?.metadata) return;
  dropRepeatedOwners(object, { warn, isAdmitted: true });
  const { metadata } = object;
  const problem = metadata.managedFields === before ? undefined : managersProblem(metadata.managedFields);
  if (problem === undefined) return;
  const cause = 'this could be caused by an outdated mutating admission controller; please fix your requests';
  warn(`.metadata.managedFields was in an invalid state after admission; ${cause}: ${problem}`);
  if (before) metadata.managedFields = before;
  else delete metadata.managedFields;
}

/** Mutates `object`. */
export function dropRepeatedOwners(object: KubeObject, { warn, isAdmitted }: { warn(text: string): void; isAdmitted: boolean }): void {
  const references = object.metadata?.ownerReferences;
  if (!Array.isArray(references) || references.length < 2 || !object.metadata) return;
  const kept: typeof references = [];
  const repeated: string[] = [];
  for (const reference of references) {
    if (kept.some((each) => each?.uid === reference?.uid && semanticEqual(each, reference))) repeated.push(reference.uid);
    else kept.push(reference);
  }
  if (repeated.length === 0) return;
  object.metadata.ownerReferences = kept;
  const when = isAdmitted ? ' after mutating admission happens' : '';
  const policy = 'API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests';
  warn(`.metadata.ownerReferences contains duplicate entries${when}; ${policy}; duplicate UID(s) observed: ${repeated.join(', ')}`);
}
