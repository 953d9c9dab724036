// A request as policies see it that name its resource in another version or group: with its objects converted.

import type { Kind } from '../../../api/kind.ts';
import { StatusError } from '../../../api/status.ts';
import type { Authorizer } from '../../authz/authorizer.ts';
import type { AdmissionAttributes } from '../admission.ts';
import type { ClusterView } from '../cluster-view.ts';
import { versioned } from '../webhooks/hooks.ts';
import { Evaluation } from './evaluation.ts';
import { ConfigurationError } from './params.ts';

/** @throws ConfigurationError when the objects cannot be converted */
export async function versionedEvaluation(
  view: ClusterView,
  attributes: AdmissionAttributes,
  kind: Kind,
  authorizer: Authorizer | undefined,
): Promise<Evaluation> {
  if (kind === attributes.kind) return Evaluation.of(attributes, view, authorizer);
  try {
    const { object, old } = await versioned(view, attributes, kind);
    return await Evaluation.of({ ...attributes, object, old }, view, authorizer, kind);
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    throw new ConfigurationError(`failed to convert object version: ${error.message}`, { cause: error });
  }
}
