// What is wrong with fields of a configuration, in one line as Kubernetes joins them.

import type { FieldError } from '../../../api/field-error.ts';
import { AdmissionConfigurationError } from '../plugin-order.ts';

export function configurationProblem(errors: readonly FieldError[]): AdmissionConfigurationError {
  const texts = errors.map(({ field, message }) => `${field}: ${message}`);
  return new AdmissionConfigurationError(texts.length > 1 ? `[${texts.join(', ')}]` : texts[0]);
}
