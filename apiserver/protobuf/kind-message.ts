// The message of a kind, found once.

import { builtInName } from '../schema/schema.ts';
import { type Message, messageOf } from './message.ts';

const found = new Map<string, Message | undefined>();

/** The message of a built-in kind by its apiVersion and kind. */
export function messageOfType(apiVersion: string, kind: string): Message | undefined {
  const type = `${apiVersion}/${kind}`;
  const known = found.get(type);
  if (known) return known;
  const [version = '', group = ''] = apiVersion.split('/').reverse();
  const definition = builtInName(group, version, kind);
  const message = definition === undefined ? undefined : messageOf(definition);
  if (message) found.set(type, message);
  return message;
}
