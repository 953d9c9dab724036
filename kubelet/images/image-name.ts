// Image references as Docker reads them: the registry, `library/` and `:latest` that short names leave out.

export interface ImageName {
  /** `docker.io` when the name has none. */
  registry: string;
  /** `library/busybox` */
  repository: string;
  tag: string | undefined;
  digest: string | undefined;
}

const component = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const domain =
  '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(?:\\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*|\\[[a-fA-F0-9:]+\\]';
const pattern = new RegExp(
  `^(?:((?:${domain})(?::[0-9]+)?)/)?(${component}(?:/${component})*)(?::([\\w][\\w.-]{0,127}))?(?:@([A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}))?$`,
);

const nameCharactersMax = 255;

/** @throws Error in the words of Docker's reference parser */
export function parseImageName(text: string): ImageName {
  if (/^[a-f0-9]{64}$/.test(text)) {
    throw new Error(`invalid repository name (${text}), cannot specify 64-byte hexadecimal strings`);
  }
  const slash = text.indexOf('/');
  const head = slash < 0 ? '' : text.slice(0, slash);
  // A first part is a registry only when it looks like a host.
  const isHost = head !== '' && (/[.:]/.test(head) || head === 'localhost' || head !== head.toLowerCase());
  const registry = isHost ? head : 'docker.io';
  const remainder = isHost ? text.slice(slash + 1) : text;
  const pathOnly = (remainder.split('@')[0] as string).replace(/:[^/:]*$/, '');
  if (pathOnly !== pathOnly.toLowerCase()) throw new Error(`invalid reference format: repository name (${pathOnly}) must be lowercase`);
  const match = pattern.exec(isHost ? text : `docker.io/${remainder}`);
  if (!match) throw new Error('invalid reference format');
  const [, , path = '', tag, digest] = match;
  const isOfficial = (registry === 'docker.io' || registry === 'index.docker.io') && !path.includes('/');
  const repository = isOfficial ? `library/${path}` : path;
  if (repository.length > nameCharactersMax) throw new Error('repository name must not be more than 255 characters');
  return { registry: registry === 'index.docker.io' ? 'docker.io' : registry, repository, tag, digest };
}

/** `text` with `:latest` when it says neither tag nor digest. @throws Error */
export function withDefaultTag(text: string): string {
  const name = parseImageName(text);
  return name.tag === undefined && name.digest === undefined ? `${text}:latest` : text;
}

/** The full name, as runtimes list it: `docker.io/library/busybox:latest`. @throws Error */
export function normalizeImage(text: string): string {
  const { registry, repository, tag, digest } = parseImageName(text);
  const suffix = digest ? `@${digest}` : `:${tag ?? 'latest'}`;
  return `${registry}/${repository}${suffix}`;
}
