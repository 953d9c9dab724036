// Every function of Kubernetes' environment that CEL's own standard library lacks.

import { authorizerFunctions } from '../authorizer.ts';
import type { LibraryFunction } from './library-function.ts';
import { listFunctions } from './lists.ts';
import { formatFunctions } from './named-format.ts';
import { networkFunctions } from './network.ts';
import { quantityFunctions } from './quantity.ts';
import { semverFunctions } from './semver.ts';
import { stringFunctions } from './strings.ts';
import { urlFunctions } from './url.ts';

export const libraryFunctions: readonly LibraryFunction[] = [
  ...authorizerFunctions,
  ...formatFunctions,
  ...listFunctions,
  ...networkFunctions,
  ...quantityFunctions,
  ...semverFunctions,
  ...stringFunctions,
  ...urlFunctions,
];
