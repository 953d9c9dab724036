// The operator's custom kind, as kubernetes-fluent-client wants it: a class, and where its objects are served.

import { GenericKind, RegisterKind } from 'kubernetes-fluent-client';

export class Site extends GenericKind {
  declare spec: { text: string; host?: string; replicas?: number };
  declare status?: { phase: 'Starting' | 'Serving'; readyReplicas: number; observedGeneration: number };
}

RegisterKind(Site, { group: 'operator.example.com', version: 'v1', kind: 'Site', plural: 'sites' });

export const operatorNamespace = 'site-operator';
/** Holds a Site until its host is given back. */
export const hostFinalizer = 'operator.example.com/host';
/** On what belongs to a Site: its name. */
export const siteLabel = 'operator.example.com/site';
/** On the ConfigMaps of the operator's namespace that say which host is taken by whom. */
export const hostLabel = 'operator.example.com/host';
