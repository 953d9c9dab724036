// Resources as an EncryptionConfiguration names them, and as the keys of the store do.

export interface GroupResource {
  /** '' for the core group; `*` for all. */
  readonly group: string;
  /** Or `*`. */
  readonly resource: string;
}

/** `secrets`, `deployments.apps`, `*.apps`, `*.` or `*.*`. */
export function parseGroupResource(name: string): GroupResource {
  const dot = name.indexOf('.');
  return dot < 0 ? { group: '', resource: name } : { group: name.slice(dot + 1), resource: name.slice(0, dot) };
}

/** The core group's `*` is `*.`, as it is written in the file. */
export function groupResourceName({ group, resource }: GroupResource): string {
  if (group === '') return resource === '*' ? '*.' : resource;
  return `${resource}.${group}`;
}

const root = '/registry/';
/** Reservations of addresses and ports, which are no objects: Kubernetes does not let them be named either. */
const rangesPrefix = `${root}ranges/`;

/** What `/registry/GROUP/PLURAL/...` is a key of; undefined for what holds no object. */
export function groupResourceOfKey(key: string): GroupResource | undefined {
  if (!key.startsWith(root) || key.startsWith(rangesPrefix)) return undefined;
  const slash = key.indexOf('/', root.length);
  if (slash < 0) return undefined;
  const end = key.indexOf('/', slash + 1);
  const group = key.slice(root.length, slash);
  return { group: group === 'core' ? '' : group, resource: key.slice(slash + 1, end < 0 ? undefined : end) };
}
