// Nodes that have the pod's images already, the larger the better, unless only few nodes have them.

import type { Score } from './score.ts';

const bytesMin = 23 * 1024 * 1024;
const bytesMaxPerContainer = 1000 * 1024 * 1024;

export const imageLocality: Score = {
  name: 'ImageLocality',
  weight: 1,
  score(pod, nodes, snapshot) {
    const containers = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])];
    const images = containers.map((container) => normalizedName(container.image ?? ''));
    const holders = new Map<string, number>();
    const sizes = nodes.map((info) => {
      const present = new Map<string, number>();
      for (const image of info.node.status?.images ?? []) for (const name of image.names ?? []) present.set(name, image.sizeBytes ?? 0);
      for (const name of new Set(images)) if (present.has(name)) holders.set(name, (holders.get(name) ?? 0) + 1);
      return present;
    });
    if (holders.size === 0) return undefined;
    const bytesMax = bytesMaxPerContainer * containers.length;
    return sizes.map((present) => {
      let bytes = 0;
      for (const name of images) bytes += ((present.get(name) ?? 0) * (holders.get(name) ?? 0)) / snapshot.nodes.length;
      return Math.floor((100 * (Math.min(Math.max(bytes, bytesMin), bytesMax) - bytesMin)) / (bytesMax - bytesMin));
    });
  },
};

/** A name without a tag means `:latest`. */
function normalizedName(name: string): string {
  return name.lastIndexOf(':') <= name.lastIndexOf('/') ? `${name}:latest` : name;
}
