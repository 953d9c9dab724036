// What client-node's generated classes are made of: their methods and parameters, read from the package's declarations.
// They were generated from Kubernetes' own OpenAPI document, and so tell which parameters it publishes.

import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

export interface ClientMethod {
  /** `CoreV1Api` */
  className: string;
  name: string;
  /** As on the wire, in the declared order: `name`, `namespace`, `body`, `continue`, ... */
  parameters: string[];
}

const folder = join(dirname(createRequire(import.meta.url).resolve('@kubernetes/client-node/package.json')), 'dist/gen/apis');

/** Every method of the classes that are about stable versions, groups and what is no resource. */
export function clientMethods(): ClientMethod[] {
  const files = readdirSync(folder).filter((file) => file.endsWith('Api.d.ts') && !/V\d+(alpha|beta)\d+Api/.test(file));
  return files.flatMap((file) => {
    const text = readFileSync(join(folder, file), 'utf8');
    const factory = text.slice(text.indexOf('RequestFactory extends'), text.indexOf('ResponseProcessor {'));
    return [...factory.matchAll(/^ {4}(\w+)\((.*)\): Promise<RequestContext>;$/gm)].map(([, name = '', parameters = '']) => ({
      className: file.replace('.d.ts', ''),
      name,
      parameters: parameters
        .split(', ')
        .map((parameter) => parameter.slice(0, parameter.search(/\??:/)))
        .filter((parameter) => parameter !== '_options')
        .map((parameter) => parameter.replace(/^_/, '')),
    }));
  });
}
