// Namespaces that do not exist: made when something is to go there, or asked for beforehand (admission plug-ins
// NamespaceAutoProvision and NamespaceExists).

import { namespaces } from '../../api/core.ts';
import { notFoundError, StatusError } from '../../api/status.ts';
import type { UserInfo } from '../resources/resource.ts';
import { type AdmissionAttributes, type AdmissionPlugin, refusal } from './admission.ts';
import type { ClusterView } from './cluster-view.ts';

const server: UserInfo = Object.freeze({ name: 'system:apiserver', groups: ['system:masters'] });

const isInNamespace = ({ kind, namespace }: AdmissionAttributes) =>
  namespace !== '' && !(kind.plural === namespaces.plural && kind.group === namespaces.group);

export function namespaceAutoProvision(view: ClusterView): AdmissionPlugin {
  return {
    name: 'NamespaceAutoProvision',
    operations: ['CREATE'],
    handles: (attributes) => isInNamespace(attributes) && !attributes.dryRun,
    async admit(attributes) {
      const name = attributes.namespace;
      if (await view.get(namespaces, '', name)) return;
      const registry = view.resources.ofKind(namespaces)?.registry;
      try {
        await registry?.create({ metadata: { name } }, { namespace: '', user: server, dryRun: false, warn: () => {} });
      } catch (error) {
        if (!(error instanceof StatusError)) throw error;
        if (error.reason === 'AlreadyExists') return;
        throw error.reason === 'Forbidden' ? error : refusal(attributes, error.message);
      }
    },
  };
}

export function namespaceExists(view: ClusterView): AdmissionPlugin {
  return {
    name: 'NamespaceExists',
    operations: ['CREATE', 'UPDATE', 'DELETE'],
    handles: isInNamespace,
    async validate({ namespace }) {
      if (!(await view.get(namespaces, '', namespace))) throw notFoundError(namespaces, namespace);
    },
  };
}
