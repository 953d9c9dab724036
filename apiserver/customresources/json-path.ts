// The simple JSON paths of printer columns, selectable fields and scale: names, indexes, wildcards and equality filters.

type Step = { name: string } | { index: number } | { wildcard: true } | { filter: Step[]; equals: unknown };

/** A path does not read; the message says why. */
export class JsonPathError extends Error {
  override name = 'JsonPathError';
}

/** What a path leads to, in order. @throws JsonPathError */
export function compileJsonPath(path: string): (value: unknown) => unknown[] {
  const steps = parse(path);
  return (value) => steps.reduce<unknown[]>((values, step) => values.flatMap((each) => follow(each, step)), [value]);
}

function follow(value: unknown, step: Step): unknown[] {
  if ('name' in step) {
    const found =
      typeof value === 'object' && value !== null && Object.hasOwn(value, step.name)
        ? (value as Record<string, unknown>)[step.name]
        : undefined;
    return found === undefined ? [] : [found];
  }
  if (typeof value !== 'object' || value === null) return [];
  const items: unknown[] = Array.isArray(value) ? value : Object.values(value);
  if ('wildcard' in step) return items;
  if ('index' in step) {
    const found = Array.isArray(value) ? value.at(step.index) : undefined;
    return found === undefined ? [] : [found];
  }
  return items.filter(
    (item) => step.filter.reduce<unknown[]>((values, inner) => values.flatMap((each) => follow(each, inner)), [item])[0] === step.equals,
  );
}

function parse(path: string): Step[] {
  const steps: Step[] = [];
  const token =
    /\.?\[\s*(-?\d+)\s*\]|\.?\[\s*['"]((?:[^'"\\]|\\.)*)['"]\s*\]|\.?\[\s*\*\s*\]|\.?\[\?\(\s*@([^=]*?)\s*==\s*(.*?)\s*\)\]|\.((?:[^.[\]\\]|\\.)+)/y;
  let at = 0;
  while (at < path.length) {
    token.lastIndex = at;
    const match = token.exec(path);
    if (!match) throw new JsonPathError(`unrecognized character in path at ${at}: ${JSON.stringify(path.slice(at))}`);
    const [all, index, quoted, filter, equals, name] = match;
    if (index !== undefined) steps.push({ index: Number(index) });
    else if (quoted !== undefined) steps.push({ name: quoted.replace(/\\(.)/g, '$1') });
    else if (filter !== undefined) steps.push({ filter: parse(filter), equals: literal(equals ?? '') });
    else if (name !== undefined) steps.push(name === '*' ? { wildcard: true } : { name: name.replace(/\\(.)/g, '$1') });
    else steps.push({ wildcard: true });
    at += all.length;
  }
  if (steps.length === 0) throw new JsonPathError('is empty');
  return steps;
}

function literal(text: string): unknown {
  const quoted = /^(['"])(.*)\1$/.exec(text);
  if (quoted) return quoted[2];
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    if (error instanceof SyntaxError) throw new JsonPathError(`cannot compare with ${text}`);
    throw error;
  }
}
