// The paths of a kubelet's server, read. Pure.

export type Route =
  | { what: 'logs'; namespace: string; pod: string; container: string }
  | { what: 'exec' | 'attach' | 'run'; namespace: string; pod: string; uid: string | undefined; container: string }
  | { what: 'portForward'; namespace: string; pod: string; uid: string | undefined }
  | { what: 'pods' | 'healthz' | 'stats' | 'metrics' | 'resourceMetrics' | 'containerMetrics' | 'probeMetrics' | 'configz' };

const plain: Record<string, Route> = {
  '/pods': { what: 'pods' },
  '/pods/': { what: 'pods' },
  '/healthz': { what: 'healthz' },
  '/healthz/ping': { what: 'healthz' },
  '/healthz/syncloop': { what: 'healthz' },
  '/stats/summary': { what: 'stats' },
  '/metrics': { what: 'metrics' },
  '/metrics/resource': { what: 'resourceMetrics' },
  '/metrics/cadvisor': { what: 'containerMetrics' },
  '/metrics/probes': { what: 'probeMetrics' },
  '/configz': { what: 'configz' },
};

/** undefined: there is no such path. */
export function routeOf(path: string): Route | undefined {
  const known = plain[path];
  if (known) return known;
  const [what, ...rest] = path
    .split('/')
    .slice(1)
    .map((part) => decodeURIComponent(part));
  const [namespace = '', pod = '', third, fourth] = rest;
  if (!namespace || !pod) return undefined;
  if (what === 'containerLogs' && third && rest.length === 3) return { what: 'logs', namespace, pod, container: third };
  if ((what === 'exec' || what === 'attach' || what === 'run') && third && rest.length <= 4) {
    return { what, namespace, pod, uid: fourth ? third : undefined, container: fourth ?? third };
  }
  if (what === 'portForward' && rest.length <= 3) return { what, namespace, pod, uid: third };
  return undefined;
}

/** `1` and `true` in any case. */
export const isTrue = (value: string | null) => value !== null && /^(1|t|true)$/i.test(value);
