// Static tokens from a CSV file, `token,user,uid,"group1,group2"`, as kube-apiserver's --token-auth-file.

import { createHash, timingSafeEqual } from 'node:crypto';
import type { UserInfo } from '../resources/resource.ts';
import type { Authenticator } from './authenticator.ts';

/**
 * Reads the file's text.
 * @throws Error naming the line that is wrong
 */
export function parseTokenFile(text: string): Map<string, UserInfo> {
  const users = new Map<string, UserInfo>();
  text.split(/\r?\n/).forEach((line, index) => {
    if (line.trim() === '' || line.startsWith('#')) return;
    const [token, name, uid, groups = ''] = splitCsvLine(line);
    if (!token || !name || uid === undefined) throw new Error(`token file line ${index + 1}: want token,user,uid[,"group1,group2"]`);
    if (users.has(token)) throw new Error(`token file line ${index + 1}: the token of ${name} is already another user's`);
    users.set(token, { name, ...(uid ? { uid } : {}), groups: groups.split(',').filter((group) => group !== '') });
  });
  return users;
}

/** Bearer tokens from a table. Compared by digest, so that timing tells nothing of how much of a token was right. */
export function staticTokenAuthenticator(users: ReadonlyMap<string, UserInfo>): Authenticator {
  const entries = [...users].map(([token, user]) => ({ digest: digest(token), user }));
  return ({ token }) => {
    if (token === undefined) return undefined;
    const asked = digest(token);
    return entries.find((entry) => timingSafeEqual(entry.digest, asked))?.user;
  };
}

const digest = (token: string) => createHash('sha256').update(token).digest();

function splitCsvLine(line: string): string[] {
  const cells: string[] = [];
  for (const match of line.matchAll(/(?:^|,)\s*(?:"((?:[^"]|"")*)"|([^",]*))/g)) {
    cells.push(match[1] !== undefined ? match[1].replaceAll('""', '"') : (match[2] as string).trim());
  }
  return cells;
}
