// Files of one volume that would lie upon each other: the same path twice, or one path inside another (pkg/api/pod/warnings.go).

import type { Pod } from '../../api/core.ts';

type Volume = NonNullable<NonNullable<Pod['spec']>['volumes']>[number];
type Projection = NonNullable<NonNullable<Volume['projected']>['sources']>[number];

interface Place {
  path: string;
  /** Which of the volume's sources puts it there; empty where there is one only. */
  source: string;
}

type Items = readonly { path: string }[] | undefined;

const placesOf = (items: Items, source: string): Place[] => (items ?? []).map(({ path }) => ({ path: path.replace(/\/+$/, ''), source }));

/** Of all volumes of a pod; each is told by its name, not by its path. */
export function overlapWarnings(volumes: readonly Volume[]): string[] {
  return volumes.flatMap((volume) => {
    const { name, configMap, secret, downwardAPI, projected } = volume;
    const among = (places: readonly Place[], what: string) =>
      overlaps(places).map((pair) => `volume ${JSON.stringify(name)} (${what}): overlapping paths: ${pair}`);
    return [
      ...among(placesOf(configMap?.items, ''), `ConfigMap ${JSON.stringify(configMap?.name ?? '')}`),
      ...among(placesOf(secret?.items, ''), `Secret ${JSON.stringify(secret?.secretName ?? '')}`),
      ...among(placesOf(downwardAPI?.items, ''), 'DownwardAPI'),
      ...(projected?.sources ?? [])
        .filter((source) => Object.keys(source).length === 0)
        .map(() => `volume ${JSON.stringify(name)} (Projected) has no sources provided`),
      ...among((projected?.sources ?? []).flatMap(placesOfProjection), 'Projected'),
    ];
  });
}

function placesOfProjection({ configMap, secret, downwardAPI, serviceAccountToken, clusterTrustBundle }: Projection): Place[] {
  if (configMap?.items) return placesOf(configMap.items, `ConfigMap ${JSON.stringify(configMap.name ?? '')}`);
  if (secret?.items) return placesOf(secret.items, `Secret ${JSON.stringify(secret.name ?? '')}`);
  if (downwardAPI?.items) return placesOf(downwardAPI.items, 'DownwardAPI');
  if (serviceAccountToken) return placesOf([serviceAccountToken], 'ServiceAccountToken');
  if (!clusterTrustBundle) return [];
  const bundle = clusterTrustBundle.name ?? clusterTrustBundle.signerName ?? '';
  return placesOf([clusterTrustBundle], `ClusterTrustBundle ${JSON.stringify(bundle)}`);
}

/** Each place that lies upon one before it, with that one. */
function overlaps(places: readonly Place[]): string[] {
  const known = places.filter(({ path }) => path !== '');
  return known.flatMap((place, index) =>
    known
      .slice(0, index)
      .filter(({ path }) => `${path}/`.startsWith(`${place.path}/`) || `${place.path}/`.startsWith(`${path}/`))
      .map((other) => `${textOf(place)} with ${textOf(other)}`),
  );
}

const textOf = ({ path, source }: Place) => `${JSON.stringify(path)}${source && ` (${source})`}`;
