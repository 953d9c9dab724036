// Who lets a policy take parameters has to be allowed to read them: expressions and messages can show what they hold
// (Kubernetes asks it in pkg/registry/admissionregistration/*/authz.go, where it validates).

import {
  type MutatingAdmissionPolicy,
  type MutatingAdmissionPolicyBinding,
  mutatingAdmissionPolicies,
  mutatingAdmissionPolicyBindings,
  type ParamKind,
  type ValidatingAdmissionPolicy,
  validatingAdmissionPolicies,
  validatingAdmissionPolicyBindings,
} from '../../../api/admissionregistration.ts';
import { forbidden } from '../../../api/field-error.ts';
import { apiVersionOf, type Kind } from '../../../api/kind.ts';
import { invalidError } from '../../../api/status.ts';
import { semanticEqual } from '../../../api/validation/semantic-equal.ts';
import type { AuthorizationAttributes, Authorizer } from '../../authz/authorizer.ts';
import type { UserInfo } from '../../resources/resource.ts';
import type { AdmissionAttributes, AdmissionPlugin } from '../admission.ts';
import type { ClusterView } from '../cluster-view.ts';

type Policy = ValidatingAdmissionPolicy | MutatingAdmissionPolicy;
type Binding = MutatingAdmissionPolicyBinding;

const policyKinds: readonly Kind[] = [validatingAdmissionPolicies, mutatingAdmissionPolicies];
/** The policies that a binding of a kind names. */
const policiesOf = new Map<string, Kind<Policy>>([
  [validatingAdmissionPolicyBindings.plural, validatingAdmissionPolicies],
  [mutatingAdmissionPolicyBindings.plural, mutatingAdmissionPolicies],
]);

const isWritten = ({ kind, subresource }: AdmissionAttributes) =>
  kind.group === validatingAdmissionPolicies.group &&
  subresource === '' &&
  (policiesOf.has(kind.plural) || policyKinds.some(({ plural }) => plural === kind.plural));

export function policyParamAccess(view: ClusterView, authorizer: Authorizer): AdmissionPlugin {
  return {
    name: 'PolicyParamAccess',
    operations: ['CREATE', 'UPDATE'],
    handles: isWritten,
    async validate(attributes) {
      if (attributes.user.groups.includes('system:masters')) return;
      const policies = policiesOf.get(attributes.kind.plural);
      const problem = policies
        ? await bindingProblem(view, authorizer, attributes, policies)
        : await policyProblem(view, authorizer, attributes);
      if (!problem) return;
      const { kind, name, object } = attributes;
      const at = policies ? 'spec.paramRef' : 'spec.paramKind';
      throw invalidError(kind, name || (object?.metadata?.name ?? ''), [forbidden(at, problem)]);
    },
  };
}

async function policyProblem(view: ClusterView, authorizer: Authorizer, { object, old, user }: AdmissionAttributes) {
  const paramKind = (object as Policy | undefined)?.spec?.paramKind;
  if (!paramKind || semanticEqual(paramKind, (old as Policy | undefined)?.spec?.paramKind)) return undefined;
  if (await mayRead(authorizer, user, { ...resourceOf(view, paramKind), verb: 'get', namespace: '*', name: '*' })) return undefined;
  const which = `(kind=${paramKind.kind}, apiVersion=${paramKind.apiVersion})`;
  return `user ${goUser(user)} must have "get" permission on all objects of the referenced paramKind ${which}`;
}

async function bindingProblem(
  view: ClusterView,
  authorizer: Authorizer,
  { object, old, user }: AdmissionAttributes,
  policies: Kind<Policy>,
): Promise<string | undefined> {
  const { paramRef, policyName = '' } = (object as Binding | undefined)?.spec ?? {};
  const before = (old as Binding | undefined)?.spec;
  if (!paramRef || (semanticEqual(paramRef, before?.paramRef) && policyName === before?.policyName)) return undefined;
  const policy = await view.get(policies, '', policyName);
  const { name = '', namespace = '' } = paramRef;
  const verb = name ? 'get' : 'list';
  if (await mayRead(authorizer, user, { ...resourceOf(view, policy?.spec?.paramKind), verb, namespace, name })) return undefined;
  // The verb and the user stand in each other's place in Kubernetes, too.
  return `user ${verb} does not have "${goUser(user)}" permission on the object referenced by paramRef`;
}

type Asked = Pick<AuthorizationAttributes, 'group' | 'version' | 'resource' | 'verb' | 'namespace' | 'name'>;

async function mayRead(authorizer: Authorizer, user: UserInfo, asked: Asked): Promise<boolean> {
  const { decision } = await authorizer({ user, isResourceRequest: true, subresource: '', path: '', ...asked });
  return decision === 'allow';
}

/** Whatever is not known, everything is asked for. */
function resourceOf(view: ClusterView, paramKind: ParamKind | undefined): Pick<Asked, 'group' | 'version' | 'resource'> {
  const { apiVersion = '', kind } = paramKind ?? {};
  if (!paramKind || apiVersion.split('/').length > 2) return { group: '*', version: '*', resource: '*' };
  const [group, version] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion];
  const served = view.resources.declarations.find((each) => each.kind.kind === kind && apiVersionOf(each.kind) === apiVersion);
  return { group: group ?? '', version: version ?? '', resource: served?.kind.plural ?? '*' };
}

/** As Go prints a user. */
const goUser = ({ name, uid = '', groups, extra = {} }: UserInfo) =>
  `&{${name} ${uid} [${groups.join(' ')}] map[${Object.entries(extra)
    .sort()
    .map(([key, values]) => `${key}:[${values.join(' ')}]`)
    .join(' ')}]}`;
