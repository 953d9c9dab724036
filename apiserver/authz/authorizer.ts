// Who may do what: a chain of authorizers; the first that allows or denies decides, and when none does the answer is no.

import type { FieldSelector } from '../../api/fields.ts';
import type { Selector } from '../../api/labels.ts';
import type { PolicyRule } from '../../api/rbac.ts';
import { StatusError } from '../../api/status.ts';
import type { UserInfo } from '../resources/resource.ts';

/** What is asked for, as RBAC sees it (authorization.Attributes). */
export interface AuthorizationAttributes {
  user: UserInfo;
  /** get, list, watch, create, update, patch, delete, deletecollection; lower-case HTTP methods for other paths. */
  verb: string;
  isResourceRequest: boolean;
  /** '' for the core group. */
  group: string;
  version: string;
  /** The plural name. */
  resource: string;
  subresource: string;
  /** '' when cluster-scoped or across all namespaces. */
  namespace: string;
  /** '' for collections. */
  name: string;
  /** The URL path, for requests that are not for resources. */
  path: string;
  /** What a list, watch or deletecollection is limited to; absent when it is not, or when the selector cannot be read. */
  fieldSelector?: FieldSelector;
  labelSelector?: Selector;
}

export type Decision = {
  decision: 'allow' | 'deny' | 'no opinion';
  reason?: string;
  /** What could not be found out; told in reviews. */
  error?: string;
  /** Which authorizer of the configuration decided, for metrics. */
  by?: { readonly type: string; readonly name: string };
};

export type Authorizer = (attributes: AuthorizationAttributes) => Decision | Promise<Decision>;

/** What somebody may do, as far as authorizers can list it. */
export type RuleResolver = (user: UserInfo, namespace: string) => ListedRules;

export interface ListedRules {
  rules: PolicyRule[];
  /** What could not be found out. */
  problems: string[];
  /** Set where an authorizer may allow more than it can list. */
  isIncomplete: boolean;
}

const noOpinion: Decision = { decision: 'no opinion' };

/** Asks one after the other. */
export function unionAuthorizer(authorizers: readonly Authorizer[]): Authorizer {
  return async (attributes) => {
    const reasons: string[] = [];
    const errors: string[] = [];
    for (const authorizer of authorizers) {
      const answer = await authorizer(attributes);
      if (answer.decision !== 'no opinion') return answer;
      if (answer.reason) reasons.push(answer.reason);
      if (answer.error) errors.push(answer.error);
    }
    if (reasons.length + errors.length === 0) return noOpinion;
    return {
      decision: 'no opinion',
      ...(reasons.length > 0 ? { reason: reasons.join('\n') } : {}),
      ...(errors.length > 0 ? { error: aggregateErrors(errors) } : {}),
    };
  };
}

/** Several errors as one, each once, as Kubernetes joins them. */
export function aggregateErrors(errors: readonly string[]): string {
  const distinct = [...new Set(errors)];
  return distinct.length === 1 ? (distinct[0] as string) : `[${distinct.join(', ')}]`;
}

/** The same authorizer; its decisions say whose they are. */
export function namedAuthorizer(by: { type: string; name: string }, authorizer: Authorizer): Authorizer {
  const named = (answer: Decision): Decision => (answer.decision === 'no opinion' ? answer : { ...answer, by });
  return (attributes) => {
    const answer = authorizer(attributes);
    return answer instanceof Promise ? answer.then(named) : named(answer);
  };
}

/** What all of them list together. */
export function unionRules(resolvers: readonly RuleResolver[]): RuleResolver {
  return (user, namespace) => {
    const listed = resolvers.map((resolve) => resolve(user, namespace));
    return {
      rules: listed.flatMap(({ rules }) => rules),
      problems: listed.flatMap(({ problems }) => problems),
      isIncomplete: listed.some(({ isIncomplete }) => isIncomplete),
    };
  };
}

/** Members of `system:masters` may do anything. */
export const mastersAuthorizer: Authorizer = ({ user }) => (user.groups.includes('system:masters') ? { decision: 'allow' } : noOpinion);

/** Health, version and discovery of health are open to everyone, named or not (system:public-info-viewer). */
export const publicInfoAuthorizer: Authorizer = ({ isResourceRequest, verb, path }) =>
  !isResourceRequest && verb === 'get' && /^\/(healthz|livez|readyz|version)(\/.*)?$/.test(path) ? { decision: 'allow' } : noOpinion;

/** Discovery and OpenAPI are open to everyone with a name (system:discovery). */
export const discoveryAuthorizer: Authorizer = ({ isResourceRequest, verb, path, user }) =>
  !isResourceRequest && verb === 'get' && user.groups.includes('system:authenticated') && /^\/(apis?|openapi)(\/.*)?$/.test(path)
    ? { decision: 'allow' }
    : noOpinion;

/**
 * 403 in Kubernetes' words.
 * @see k8s.io/apiserver/pkg/endpoints/handlers/responsewriters/errors.go
 */
export function forbiddenBy(attributes: AuthorizationAttributes, reason = ''): StatusError {
  const { user, verb, group, resource, subresource, namespace, name, path } = attributes;
  const tail = reason ? `: ${reason}` : '';
  if (!attributes.isResourceRequest) {
    return new StatusError('Forbidden', `forbidden: User ${JSON.stringify(user.name)} cannot ${verb} path ${JSON.stringify(path)}${tail}`, {
      details: {},
    });
  }
  const scoped = subresource ? `${resource}/${subresource}` : resource;
  const where = namespace ? ` in the namespace ${JSON.stringify(namespace)}` : ' at the cluster scope';
  const what = `User ${JSON.stringify(user.name)} cannot ${verb} resource ${JSON.stringify(scoped)} in API group ${JSON.stringify(group)}${where}${tail}`;
  const qualified = group ? `${resource}.${group}` : resource;
  const subject = name ? `${qualified} ${JSON.stringify(name)} is forbidden` : `${qualified} is forbidden`;
  return new StatusError('Forbidden', `${subject}: ${what}`, {
    details: { ...(name ? { name } : {}), ...(group ? { group } : {}), kind: resource },
  });
}
