// The rules of file paths and modes in volumes and mounts.

import { type FieldError, invalid } from '../../api/field-error.ts';

/** Adds the problem of a path that climbs: any part that is `..`. */
export function backstepErrors(path: string, at: string, errors: FieldError[]): void {
  if (path.includes('..') && path.split('/').includes('..')) errors.push(invalid(at, path, "must not contain '..'"));
}

/** Adds the problems of a path that must be relative and must not climb. */
export function localDescendingPathErrors(path: string, at: string, errors: FieldError[]): void {
  if (path.startsWith('/')) errors.push(invalid(at, path, 'must be a relative path'));
  backstepErrors(path, at, errors);
}

/** Adds the problems of a path inside a volume that the kubelet writes; names that start with `..` are its own. */
export function localNonReservedPathErrors(path: string, at: string, errors: FieldError[]): void {
  localDescendingPathErrors(path, at, errors);
  if (path.startsWith('..') && path !== '..' && !path.startsWith('../')) errors.push(invalid(at, path, "must not start with '..'"));
}

export function fileModeErrors(mode: number | undefined, at: string, errors: FieldError[]): void {
  if (mode !== undefined && (mode < 0 || mode > 0o777))
    errors.push(invalid(at, mode, 'must be a number between 0 and 0777 (octal), both inclusive'));
}
