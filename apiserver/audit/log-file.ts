// The audit log: one event a line, appended before the answer goes out, in files of bounded size and number.

import { closeSync, fstatSync, openSync, readdirSync, renameSync, rmSync, writeSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { stringifyJson } from '../../api/json.ts';

export interface AuditLogOptions {
  path: string;
  /** Default 100 MiB. */
  bytesMax?: number;
  /** How many full files are kept beside the one being written. Default 10. */
  backupsMax?: number;
}

export interface AuditLog {
  write(event: object): void;
  /** What is still to be written is, first. */
  close(): void | Promise<void>;
}

/** Full files are named `<path>.<number>`, the highest the newest. */
export function openAuditLog({ path, bytesMax = 100 << 20, backupsMax = 10 }: AuditLogOptions): AuditLog {
  const open = () => openSync(path, 'a', 0o600);
  let file = open();
  let bytes = fstatSync(file).size;

  const backups = () => {
    const start = `${basename(path)}.`;
    const numbers = readdirSync(dirname(path))
      .filter((name) => name.startsWith(start))
      .map((name) => name.slice(start.length));
    return numbers
      .filter((number) => /^\d+$/.test(number))
      .map(Number)
      .sort((a, b) => a - b);
  };

  function rotate(): void {
    closeSync(file);
    const kept = backups();
    renameSync(path, `${path}.${(kept.at(-1) ?? 0) + 1}`);
    for (const number of kept.slice(0, Math.max(0, kept.length + 1 - backupsMax)))
      rmSync(join(dirname(path), `${basename(path)}.${number}`));
    file = open();
    bytes = 0;
  }

  return {
    write(event) {
      const line = Buffer.from(`${stringifyJson(event)}\n`);
      if (bytes > 0 && bytes + line.length > bytesMax) rotate();
      writeSync(file, line);
      bytes += line.length;
    },
    close: () => closeSync(file),
  };
}
