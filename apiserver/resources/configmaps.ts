// ConfigMaps: text and binary data under keys that share one name space, at most 1 MiB, optionally immutable.

import { type ConfigMap, configMaps } from '../../api/core.ts';
import { type FieldError, forbidden, invalid, tooLong } from '../../api/field-error.ts';
import { configMapKeyProblems } from '../../api/validation/formats.ts';
import { semanticEqual } from '../../api/validation/semantic-equal.ts';
import { ageColumn, integer, nameColumn } from './columns.ts';
import { serve } from './resource.ts';

/** The data of a secret or config map together, in bytes. */
export const dataBytesMax = 1024 * 1024;

export function validateConfigMap(configMap: ConfigMap): FieldError[] {
  const errors: FieldError[] = [];
  const { data = {}, binaryData = {} } = configMap;
  let bytes = 0;
  for (const key in data) {
    for (const problem of configMapKeyProblems(key)) errors.push(invalid(`data[${key}]`, key, problem));
    if (Object.hasOwn(binaryData, key)) errors.push(invalid(`data[${key}]`, key, 'duplicate of key present in binaryData'));
    bytes += Buffer.byteLength(data[key] as string);
  }
  for (const key in binaryData) {
    for (const problem of configMapKeyProblems(key)) errors.push(invalid(`binaryData[${key}]`, key, problem));
    bytes += base64Bytes(binaryData[key] as string | null);
  }
  if (bytes > dataBytesMax) errors.push(tooLong('', dataBytesMax));
  return errors;
}

/** How many bytes a base64 text holds; null holds none. */
export function base64Bytes(text: string | null): number {
  if (text === null) return 0;
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  return Math.max(0, Math.floor(text.length / 4) * 3 - padding);
}

export function validateConfigMapUpdate(configMap: ConfigMap, old: ConfigMap): FieldError[] {
  const errors: FieldError[] = [];
  if (old.immutable) {
    if (!configMap.immutable) errors.push(forbidden('immutable', 'field is immutable when `immutable` is set'));
    if (!semanticEqual(configMap.data, old.data)) errors.push(forbidden('data', 'field is immutable when `immutable` is set'));
    if (!semanticEqual(configMap.binaryData, old.binaryData))
      errors.push(forbidden('binaryData', 'field is immutable when `immutable` is set'));
  }
  errors.push(...validateConfigMap(configMap));
  return errors;
}

const countKeys = (record: object | undefined) => Object.keys(record ?? {}).length;

export const configMapResource = serve(configMaps, {
  validate: validateConfigMap,
  validateUpdate: validateConfigMapUpdate,
  columns: [
    nameColumn(),
    { ...integer('Data', 'How many keys hold data.', (c) => countKeys(c.data) + countKeys(c.binaryData)), type: 'string' },
    ageColumn(),
  ],
});
