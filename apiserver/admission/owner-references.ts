// Who says that an object belongs to another must be allowed to have it deleted, and who says that the owner has to wait for
// it must be allowed to hold the owner up (admission plug-in OwnerReferencesPermissionEnforcement).

import { apiVersionOf } from '../../api/kind.ts';
import { semanticEqual } from '../../api/validation/semantic-equal.ts';
import type { KubeObject, ObjectMeta } from '../../api/wire.ts';
import type { AuthorizationAttributes, Authorizer } from '../authz/authorizer.ts';
import { type AdmissionAttributes, type AdmissionPlugin, refusal } from './admission.ts';
import type { ClusterView } from './cluster-view.ts';

type OwnerReference = NonNullable<ObjectMeta['ownerReferences']>[number];

const ownersOf = (object: KubeObject | undefined): OwnerReference[] => object?.metadata?.ownerReferences ?? [];

export function ownerReferencesPermissionEnforcement(view: ClusterView, authorizer: Authorizer): AdmissionPlugin {
  /** What the authorizer says against it; undefined: nothing. */
  async function objectionTo(asked: Partial<AuthorizationAttributes>, { user }: AdmissionAttributes): Promise<string | undefined> {
    const rest = { version: '*', group: '', resource: '', subresource: '', namespace: '', name: '', verb: '' };
    const { decision, reason = '' } = await authorizer({ ...rest, ...asked, user, isResourceRequest: true, path: '' });
    return decision === 'allow' ? undefined : `${reason}, <nil>`;
  }

  async function checkBlocking(reference: OwnerReference, attributes: AdmissionAttributes): Promise<void> {
    const { apiVersion, kind, name } = reference;
    const served = view.resources.all.filter((each) => apiVersionOf(each.kind) === apiVersion && each.kind.kind === kind);
    if (served.length === 0) {
      const why = `no matches for kind ${JSON.stringify(kind)} in version ${JSON.stringify(apiVersion)}`;
      const what = `cannot find RESTMapping for APIVersion ${apiVersion} Kind ${kind}`;
      throw refusal(attributes, `cannot set blockOwnerDeletion in this case because ${what}: ${why}`);
    }
    for (const { kind: owner } of served) {
      const asked = { verb: 'update', group: owner.group, version: owner.version, resource: owner.plural, subresource: 'finalizers', name };
      const objection = await objectionTo({ ...asked, namespace: owner.namespaced ? attributes.namespace : '' }, attributes);
      if (objection !== undefined) {
        const why = "cannot set blockOwnerDeletion if an ownerReference refers to a resource you can't set finalizers on";
        throw refusal(attributes, `${why}: ${objection}`);
      }
    }
  }

  return {
    name: 'OwnerReferencesPermissionEnforcement',
    operations: ['CREATE', 'UPDATE'],
    handles: isChange,
    async validate(attributes) {
      const { operation, kind, subresource, namespace, name, object, old } = attributes;
      if (operation === 'UPDATE') {
        const { group, version, plural: resource } = kind;
        const objection = await objectionTo({ verb: 'delete', group, version, resource, subresource, namespace, name }, attributes);
        if (objection !== undefined) throw refusal(attributes, `cannot set an ownerRef on a resource you can't delete: ${objection}`);
      }
      const before = new Map(ownersOf(old).map((reference) => [reference.uid, reference]));
      for (const reference of ownersOf(object))
        if (reference.blockOwnerDeletion && !before.get(reference.uid)?.blockOwnerDeletion) await checkBlocking(reference, attributes);
    },
  };
}

/** Kubelets' updates of pods' status cannot change who owns the pods. */
function isChange({ kind, subresource, object, old }: AdmissionAttributes): boolean {
  if (kind.group === '' && kind.plural === 'pods' && subresource === 'status') return false;
  const [after, before] = [ownersOf(object), ownersOf(old)];
  return after.length !== before.length || after.some((reference, index) => !semanticEqual(reference, before[index]));
}
