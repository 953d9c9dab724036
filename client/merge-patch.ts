// JSON Merge Patch (RFC 7386): the smallest patch between two JSON values, and its application.

type Json = Record<string, unknown>;
const isRecord = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);

/** A new value; neither argument is changed. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isRecord(patch)) return patch;
  const merged: Json = isRecord(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete merged[name];
    else merged[name] = mergePatch(merged[name], value);
  }
  return merged;
}

/** The patch that turns `before` into `after`; undefined when they are equal. Lists are replaced whole. */
export function mergePatchBetween(before: unknown, after: unknown): unknown {
  if (!isRecord(before) || !isRecord(after)) return JSON.stringify(before) === JSON.stringify(after) ? undefined : after;
  const patch: Json = {};
  for (const name of Object.keys(before)) if (before[name] !== undefined && after[name] === undefined) patch[name] = null;
  for (const [name, value] of Object.entries(after)) {
    if (value === undefined) continue;
    const difference = before[name] === undefined ? value : mergePatchBetween(before[name], value);
    if (difference !== undefined) patch[name] = difference;
  }
  return Object.keys(patch).length ? patch : undefined;
}
