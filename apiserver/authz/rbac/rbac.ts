// RBAC as one piece to put into a server: the authorizer, the check of who gives rights away, and what is done at the start.

import type { AdmissionPlugin } from '../../admission/admission.ts';
import type { ServerParts } from '../../handlers/handler.ts';
import { type Authorizer, type RuleResolver, unionAuthorizer } from '../authorizer.ts';
import { rbacEscalation } from './escalation.ts';
import { rbacAuthorizer, rulesFor } from './rbac-authorizer.ts';
import { RbacIndex } from './rbac-index.ts';
import { type ExtraBootstrap, reconcileBootstrapRbac } from './reconcile-bootstrap.ts';

export interface Rbac {
  /** Allows nothing until `begin`. */
  authorizer: Authorizer;
  index: RbacIndex;
  /** For ApiServerOptions.rulesOf. */
  rulesOf: RuleResolver;
  /** Refuses roles and bindings that give away more than their writer has. */
  escalation: AdmissionPlugin;
  /** For ApiServerOptions.begin: follows roles and bindings, and reconciles the bootstrap ones. */
  begin(server: ServerParts): Promise<void>;
}

/** `others` are authorizers whose word counts, too, where RBAC asks whether someone may `escalate` or `bind`. */
export function createRbac(options: { bootstrap?: ExtraBootstrap; others?: readonly Authorizer[] } = {}): Rbac {
  const index = new RbacIndex();
  const authorizer = rbacAuthorizer(index);
  return {
    authorizer,
    index,
    rulesOf: (user, namespace) => ({ ...rulesFor(index, user, namespace), isIncomplete: false }),
    escalation: rbacEscalation(index, unionAuthorizer([...(options.others ?? []), authorizer])),
    async begin(server) {
      index.attach(server.resources);
      await reconcileBootstrapRbac(server, options.bootstrap);
    },
  };
}
