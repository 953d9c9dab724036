// Which policies could be about a request: policies with their bindings, joined when either changes, and kept by resource and
// operation so that a write that none is about costs one look-up.

import type { MatchResources, ParamKind } from '../../../api/admissionregistration.ts';
import { apiVersionOf, type Kind } from '../../../api/kind.ts';
import type { KubeObject } from '../../../api/wire.ts';
import type { AdmissionAttributes } from '../admission.ts';
import type { ClusterView } from '../cluster-view.ts';

/** A policy that is bound somewhere. */
export interface Hook<P, B> {
  readonly policy: P;
  readonly bindings: readonly B[];
  /** Of its parameters; undefined when it takes none, or when there is no such kind. */
  readonly paramKind: Kind | undefined;
  /** Why the policy cannot be carried out. */
  readonly configurationError: string | undefined;
}

type Policy = KubeObject & { spec?: { paramKind?: ParamKind; matchConstraints?: MatchResources } };
type Binding = KubeObject & { spec?: { policyName?: string } };

/** Policies never judge what decides about admission, nor questions about who may do what, which are stored nowhere. */
const exempt = new Set([
  'admissionregistration.k8s.io/mutatingadmissionpolicies',
  'admissionregistration.k8s.io/mutatingadmissionpolicybindings',
  'admissionregistration.k8s.io/validatingadmissionpolicies',
  'admissionregistration.k8s.io/validatingadmissionpolicybindings',
  'authentication.k8s.io/selfsubjectreviews',
  'authentication.k8s.io/tokenreviews',
  'authorization.k8s.io/localsubjectaccessreviews',
  'authorization.k8s.io/selfsubjectaccessreviews',
  'authorization.k8s.io/selfsubjectrulesreviews',
  'authorization.k8s.io/subjectaccessreviews',
]);

export class PolicyIndex<P extends Policy, B extends Binding> {
  readonly #view: ClusterView;
  readonly #policyKind: Kind<P>;
  readonly #bindingKind: Kind<B>;
  #policies: readonly P[] = [];
  #bindings: readonly B[] = [];
  #generation = -1;
  #hooks: readonly Hook<P, B>[] = [];
  /** By resource, subresource and operation; these are what is served, so that there are only so many. */
  readonly #byResource = new Map<string, readonly Hook<P, B>[]>();
  /** Kinds that policies take parameters of; one that is gone has no objects any more. */
  #paramKinds = new Map<string, Kind>();

  constructor(view: ClusterView, policyKind: Kind<P>, bindingKind: Kind<B>) {
    this.#view = view;
    this.#policyKind = policyKind;
    this.#bindingKind = bindingKind;
  }

  /** Those whose rules name the request's resource in some version; the rules themselves are still to be looked at. */
  hooksFor({ kind, subresource, operation }: AdmissionAttributes): readonly Hook<P, B>[] {
    const bindings = this.#view.list(this.#bindingKind);
    if (bindings.length === 0) return [];
    this.#follow(bindings);
    const key = `${kind.group}/${kind.version}/${kind.plural}/${subresource}:${operation}`;
    let found = this.#byResource.get(key);
    if (!found) {
      const isExempt = exempt.has(`${kind.group}/${kind.plural}`);
      found = isExempt ? [] : this.#hooks.filter(({ policy }) => mayConcern(policy.spec?.matchConstraints, kind, operation));
      this.#byResource.set(key, found);
    }
    return found;
  }

  #follow(bindings: readonly B[]): void {
    const policies = this.#view.list(this.#policyKind);
    const { generation } = this.#view.resources;
    if (policies === this.#policies && bindings === this.#bindings && generation === this.#generation) return;
    this.#policies = policies;
    this.#bindings = bindings;
    this.#generation = generation;
    this.#byResource.clear();
    const byPolicy = new Map<string, B[]>();
    for (const binding of bindings) {
      const name = binding.spec?.policyName ?? '';
      const all = byPolicy.get(name);
      if (all) all.push(binding);
      else byPolicy.set(name, [binding]);
    }
    const known = this.#paramKinds;
    this.#paramKinds = new Map();
    this.#hooks = policies.flatMap((policy) => {
      const bound = byPolicy.get(policy.metadata?.name ?? '');
      return bound ? [this.#hook(policy, bound, known)] : [];
    });
  }

  #hook(policy: P, bindings: readonly B[], known: ReadonlyMap<string, Kind>): Hook<P, B> {
    const wanted = policy.spec?.paramKind;
    if (!wanted) return { policy, bindings, paramKind: undefined, configurationError: undefined };
    const name = `${wanted.apiVersion?.includes('/') ? '' : '/'}${wanted.apiVersion}, Kind=${wanted.kind}`;
    const served = this.#view.resources.declarations.find(
      ({ kind }) => kind.kind === wanted.kind && apiVersionOf(kind) === wanted.apiVersion,
    );
    const paramKind = served?.kind ?? known.get(name);
    if (!paramKind)
      return { policy, bindings, paramKind, configurationError: `failed to find resource referenced by paramKind: '${name}'` };
    this.#paramKinds.set(name, paramKind);
    return { policy, bindings, paramKind, configurationError: undefined };
  }
}

function mayConcern(match: MatchResources | undefined, kind: Kind, operation: string): boolean {
  return (match?.resourceRules ?? []).some(({ operations, resources }) => {
    if (!operations?.includes('*') && !operations?.includes(operation)) return false;
    return (resources ?? []).some((pattern) => {
      const [plural] = pattern.split('/', 1);
      return plural === '*' || plural === kind.plural;
    });
  });
}
