// The `authorizer` of admission expressions: what the caller, or a service account, may do. Answers that must be waited for
// are noted; the expression is evaluated again once they are there, which CEL, having no effects, allows.
// See https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-authorizer-library

import { dns1123LabelProblems, dns1123SubdomainProblems } from '../../api/validation/formats.ts';
import type { AuthorizationAttributes, Authorizer, Decision } from '../authz/authorizer.ts';
import { selectorsFrom } from '../authz/selectors.ts';
import type { UserInfo } from '../resources/resource.ts';
import { CelError } from './cel-error.ts';
import type { LibraryFunction } from './library/library-function.ts';

/** The decisions made for one request: each question is asked once. */
export class Decisions {
  readonly #authorize: Authorizer;
  readonly #known = new Map<string, DecisionValue>();
  readonly #pending = new Map<string, Promise<void>>();

  constructor(authorize: Authorizer) {
    this.#authorize = authorize;
  }

  /** @throws CelError when the answer is not there yet */
  decide(attributes: AuthorizationAttributes): DecisionValue {
    const key = JSON.stringify(attributes);
    const known = this.#known.get(key);
    if (known) return known;
    if (!this.#pending.has(key)) {
      const answer = this.#authorize(attributes);
      if (!(answer instanceof Promise)) return this.#know(key, new DecisionValue(answer));
      const arrival = answer.then(
        (decision) => new DecisionValue(decision),
        (error: unknown) => new DecisionValue({ decision: 'no opinion' }, error instanceof Error ? error.message : String(error)),
      );
      this.#pending.set(
        key,
        arrival.then((value) => void this.#know(key, value)),
      );
    }
    throw new CelError('the authorization check is under way');
  }

  /** Whether an evaluation asked what was not known; resolves when it is. */
  async arrived(): Promise<boolean> {
    if (this.#pending.size === 0) return false;
    await Promise.all(this.#pending.values());
    this.#pending.clear();
    return true;
  }

  #know(key: string, value: DecisionValue): DecisionValue {
    this.#known.set(key, value);
    return value;
  }
}

export class DecisionValue {
  readonly decision: Decision;
  /** '' when the authorizers answered. */
  readonly failure: string;
  constructor(decision: Decision, failure = '') {
    this.decision = decision;
    this.failure = failure;
  }
}

export class AuthorizerValue {
  readonly decisions: Decisions;
  readonly user: UserInfo;
  /** The request's own resource. */
  readonly requestResource: ResourceCheck;
  constructor(decisions: Decisions, user: UserInfo, request: Partial<AuthorizationAttributes>) {
    this.decisions = decisions;
    this.user = user;
    this.requestResource = new ResourceCheck(decisions, { ...nothing, ...request, user });
  }
}

class PathCheck {
  readonly authorizer: AuthorizerValue;
  readonly path: string;
  constructor(authorizer: AuthorizerValue, path: string) {
    this.authorizer = authorizer;
    this.path = path;
  }
}

class GroupCheck {
  readonly authorizer: AuthorizerValue;
  readonly group: string;
  constructor(authorizer: AuthorizerValue, group: string) {
    this.authorizer = authorizer;
    this.group = group;
  }
}

class ResourceCheck {
  readonly decisions: Decisions;
  readonly attributes: AuthorizationAttributes;
  constructor(decisions: Decisions, attributes: AuthorizationAttributes) {
    this.decisions = decisions;
    this.attributes = attributes;
  }
  with(more: Partial<AuthorizationAttributes>): ResourceCheck {
    return new ResourceCheck(this.decisions, { ...this.attributes, ...more });
  }
  /** The last of several counts; one that cannot be read limits nothing. */
  selecting(which: 'fieldSelector' | 'labelSelector', text: string): ResourceCheck {
    const { [which]: _, ...rest } = this.attributes;
    const selectors = which === 'fieldSelector' ? selectorsFrom(text, '') : selectorsFrom('', text);
    return new ResourceCheck(this.decisions, { ...rest, ...selectors });
  }
}

const nothing: AuthorizationAttributes = {
  user: { name: '', groups: [] },
  verb: '',
  isResourceRequest: true,
  group: '',
  version: '*',
  resource: '',
  subresource: '',
  namespace: '',
  name: '',
  path: '',
};

/** The classes of what `authorizer` and its functions answer with, by their names in CEL. */
export const authorizerTypes = [
  ['kubernetes.authorization.Decision', { ctor: DecisionValue, fields: {} }],
  ['kubernetes.authorization.PathCheck', { ctor: PathCheck, fields: {} }],
  ['kubernetes.authorization.ResourceCheck', { ctor: ResourceCheck, fields: {} }],
  ['kubernetes.authorization.GroupCheck', { ctor: GroupCheck, fields: {} }],
  ['kubernetes.authorization.Authorizer', { ctor: AuthorizerValue, fields: { requestResource: 'kubernetes.authorization.ResourceCheck' } }],
] as const;

const withFullNames = (signature: string) => signature.replace(/\b([A-Z]\w+)/g, 'kubernetes.authorization.$1');

const functions: readonly LibraryFunction[] = [
  [
    'Authorizer.path(string): PathCheck',
    (authorizer: AuthorizerValue, path: string) => {
      if (path.trim() === '') throw new CelError('path must not be empty');
      return new PathCheck(authorizer, path);
    },
  ],
  ['Authorizer.group(string): GroupCheck', (authorizer: AuthorizerValue, group: string) => new GroupCheck(authorizer, group)],
  ['Authorizer.serviceAccount(string, string): Authorizer', serviceAccount],
  [
    'GroupCheck.resource(string): ResourceCheck',
    ({ authorizer, group }: GroupCheck, resource: string) => {
      if (resource.trim() === '') throw new CelError('resource must not be empty');
      return new ResourceCheck(authorizer.decisions, { ...nothing, user: authorizer.user, group, resource });
    },
  ],
  ['ResourceCheck.fieldSelector(string): ResourceCheck', (check: ResourceCheck, text: string) => check.selecting('fieldSelector', text)],
  ['ResourceCheck.labelSelector(string): ResourceCheck', (check: ResourceCheck, text: string) => check.selecting('labelSelector', text)],
  ...['subresource', 'namespace', 'name'].map(
    (part): LibraryFunction => [
      `ResourceCheck.${part}(string): ResourceCheck`,
      (check: ResourceCheck, value: string) => check.with({ [part]: value }),
    ],
  ),
  ['ResourceCheck.check(string): Decision', (check: ResourceCheck, verb: string) => check.decisions.decide({ ...check.attributes, verb })],
  [
    'PathCheck.check(string): Decision',
    ({ authorizer: { decisions, user }, path }: PathCheck, verb: string) =>
      decisions.decide({ ...nothing, version: '', user, isResourceRequest: false, path, verb }),
  ],
  ['Decision.allowed(): bool', ({ decision }: DecisionValue) => decision.decision === 'allow'],
  ['Decision.reason(): string', ({ decision }: DecisionValue) => decision.reason ?? ''],
  ['Decision.errored(): bool', ({ failure }: DecisionValue) => failure !== ''],
  ['Decision.error(): string', ({ failure }: DecisionValue) => failure],
];

/** The functions of `authorizer`, which every expression may call on whatever has its types. */
export const authorizerFunctions: readonly LibraryFunction[] = functions.map(([signature, compute]) => [withFullNames(signature), compute]);

function serviceAccount({ decisions }: AuthorizerValue, namespace: string, name: string): AuthorizerValue {
  if (dns1123SubdomainProblems(name).length) throw new CelError('Invalid service account name');
  if (dns1123LabelProblems(namespace).length) throw new CelError('Invalid service account namespace');
  const groups = ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'];
  return new AuthorizerValue(decisions, { name: `system:serviceaccount:${namespace}:${name}`, groups }, {});
}
