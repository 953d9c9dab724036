// Words in which the tables of bootstrap roles are written.

import type { PolicyRule } from '../../../api/rbac.ts';

/** Sorted, as Kubernetes writes them. */
const words = (text: string) => text.split(' ').sort();

/** `verbs` and `resources` are separated by spaces; groups too, where `core` is the group without a name. */
export function allow(verbs: string, groups: string, resources: string, resourceNames?: string): PolicyRule {
  return {
    verbs: words(verbs),
    apiGroups: words(groups.replace(/\bcore\b/, '')),
    resources: words(resources),
    ...(resourceNames ? { resourceNames: words(resourceNames) } : {}),
  };
}

/** For paths that are no resources. */
export const allowUrls = (verbs: string, urls: string): PolicyRule => ({ verbs: words(verbs), nonResourceURLs: words(urls) });

export const readVerbs = 'get list watch';
export const writeVerbs = 'create delete deletecollection patch update';
export const writeEvents = allow('create patch update', 'core events.k8s.io', 'events');
