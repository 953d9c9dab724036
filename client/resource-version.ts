// Resource versions are decimal numbers of any length, ordered across all kinds of one server (KEP-5504).

/** Below 0 when `a` is older than `b`. '' is older than all others. */
export function compareResourceVersions(a: string, b: string): number {
  return a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);
}
