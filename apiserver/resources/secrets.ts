// Secrets: bytes under keys, with a type that may require some of them; stringData is a way to write data as text.

import { type Secret, secrets } from '../../api/core.ts';
import { type FieldError, forbidden, invalid, required, tooLong } from '../../api/field-error.ts';
import { configMapKeyProblems } from '../../api/validation/formats.ts';
import { immutableErrors } from '../../api/validation/object-meta.ts';
import { semanticEqual } from '../../api/validation/semantic-equal.ts';
import { ageColumn, integer, nameColumn, text } from './columns.ts';
import { base64Bytes, dataBytesMax } from './configmaps.ts';
import { serve } from './resource.ts';
import { tlsPairProblem } from './tls-pair-warnings.ts';

/** stringData wins over data and is never stored. */
export function defaultSecret(secret: Secret): void {
  if (!secret.type) secret.type = 'Opaque';
  if (!secret.stringData) return;
  secret.data ??= {};
  for (const key in secret.stringData) secret.data[key] = Buffer.from(secret.stringData[key] ?? '').toString('base64');
  delete secret.stringData;
}

export function validateSecret(secret: Secret): FieldError[] {
  const errors: FieldError[] = [];
  const data = secret.data ?? {};
  let bytes = 0;
  for (const key in data) {
    for (const problem of configMapKeyProblems(key)) errors.push(invalid(`data[${key}]`, key, problem));
    bytes += base64Bytes(data[key] ?? '');
  }
  if (bytes > dataBytesMax) errors.push(tooLong('data', dataBytesMax));
  typeErrors(secret, errors);
  return errors;
}

function typeErrors(secret: Secret, errors: FieldError[]): void {
  const data = secret.data ?? {};
  switch (secret.type) {
    case 'kubernetes.io/service-account-token':
      if (!secret.metadata?.annotations?.['kubernetes.io/service-account.name'])
        errors.push(required('metadata.annotations[kubernetes.io/service-account.name]'));
      return;
    case 'kubernetes.io/dockercfg':
      jsonErrors(data, '.dockercfg', errors);
      return;
    case 'kubernetes.io/dockerconfigjson':
      jsonErrors(data, '.dockerconfigjson', errors);
      return;
    case 'kubernetes.io/basic-auth':
      if (!('username' in data) && !('password' in data)) errors.push(required('data[username]'), required('data[password]'));
      return;
    case 'kubernetes.io/ssh-auth':
      if (!data['ssh-privatekey']) errors.push(required('data[ssh-privatekey]'));
      return;
    case 'kubernetes.io/tls':
      for (const key of ['tls.crt', 'tls.key']) if (!(key in data)) errors.push(required(`data[${key}]`));
      return;
  }
}

function jsonErrors(data: Readonly<Record<string, string>>, key: string, errors: FieldError[]): void {
  const at = `data[${key}]`;
  if (!(key in data)) {
    errors.push(required(at));
    return;
  }
  try {
    JSON.parse(Buffer.from(data[key] ?? '', 'base64').toString());
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    errors.push(invalid(at, '<secret contents redacted>', goJsonProblem(Buffer.from(data[key] ?? '', 'base64').toString())));
  }
}

/** How Go's decoder names the commonest ways a text is no JSON. */
function goJsonProblem(content: string): string {
  const trimmed = content.trimStart();
  if (trimmed === '') return 'unexpected end of JSON input';
  const first = [...trimmed][0] as string;
  if (/[[{"\-\dtfn]/.test(first)) return 'unexpected end of JSON input';
  return `invalid character '${first}' looking for beginning of value`;
}

export function validateSecretUpdate(secret: Secret, old: Secret): FieldError[] {
  const errors = immutableErrors('type', secret.type, old.type);
  if (old.immutable) {
    if (!secret.immutable) errors.push(forbidden('immutable', 'field is immutable when `immutable` is set'));
    if (!semanticEqual(secret.data, old.data)) errors.push(forbidden('data', 'field is immutable when `immutable` is set'));
  }
  errors.push(...validateSecret(secret));
  return errors;
}

function secretWarnings({ type, data = {} }: Secret): string[] {
  if (type !== 'kubernetes.io/tls') return [];
  const text = (name: string) => Buffer.from(data[name] ?? '', 'base64').toString('latin1');
  const problem = tlsPairProblem(text('tls.crt'), text('tls.key'));
  return problem ? [problem] : [];
}

export const secretResource = serve(secrets, {
  fields: { type: (secret) => secret.type ?? '' },
  defaults: defaultSecret,
  validate: validateSecret,
  warningsOf: secretWarnings,
  validateUpdate: validateSecretUpdate,
  columns: [
    nameColumn(),
    text('Type', 'What the data is for.', (secret) => secret.type ?? ''),
    { ...integer('Data', 'How many keys hold data.', (secret) => Object.keys(secret.data ?? {}).length), type: 'string' },
    ageColumn(),
  ],
});
