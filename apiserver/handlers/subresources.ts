// Which handlers serve a declaration's subresources, by the handler name that it gives: verb by verb.

import type { ResourceHandler } from './handler.ts';
import { namespaceFinalize } from './namespace-finalize.ts';

export const subresourceHandlers: Record<string, Readonly<Record<string, ResourceHandler>>> = {
  'namespace-finalize': { update: namespaceFinalize },
};
