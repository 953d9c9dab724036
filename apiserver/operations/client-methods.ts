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
  /** The kind of what it resolves to: `Pod`, `PodList`, `Status`, `string`, `void`. */
  returns: string;
}

const generated = join(dirname(createRequire(import.meta.url).resolve('@kubernetes/client-node/package.json')), 'dist/gen');

/** Every method of the classes that are about stable versions, groups and what is no resource. */
export function clientMethods(): ClientMethod[] {
  const results = returnsOf(readFileSync(join(generated, 'types/PromiseAPI.d.ts'), 'utf8'));
  const files = readdirSync(join(generated, 'apis')).filter((file) => file.endsWith('Api.d.ts') && !/V\d+(alpha|beta)\d+Api/.test(file));
  return files.flatMap((file) => {
    const text = readFileSync(join(generated, 'apis', file), 'utf8');
    const factory = text.slice(text.indexOf('RequestFactory extends'), text.indexOf('ResponseProcessor {'));
    return [...factory.matchAll(/^ {4}(\w+)\((.*)\): Promise<RequestContext>;$/gm)].map(([, name = '', parameters = '']) => ({
      className: file.replace('.d.ts', ''),
      name,
      returns: results.get(`${file.replace('.d.ts', '')}.${name}`) ?? '',
      parameters: parameters
        .split(', ')
        .map((parameter) => parameter.slice(0, parameter.search(/\??:/)))
        .filter((parameter) => parameter !== '_options')
        .map((parameter) => parameter.replace(/^_/, '')),
    }));
  });
}

/** By `CoreV1Api.readNamespacedPod`. Names of types begin with their version, and with their group where that is not clear. */
function returnsOf(declarations: string): Map<string, string> {
  const found = new Map<string, string>();
  let className = '';
  for (const line of declarations.split('\n')) {
    className = /^export declare class Promise(\w+) /.exec(line)?.[1] ?? className;
    const [, method, type = ''] = /^ {4}(\w+)\(.*\): Promise<(\w+)>;$/.exec(line) ?? [];
    if (method) found.set(`${className}.${method}`, type === 'VersionInfo' ? 'Info' : type.replace(/^([A-Z][a-zA-Z]*?)?V\d+/, ''));
  }
  return found;
}

/** The method that was generated from an operation: `readCoreV1NamespacedPod` became CoreV1Api.readNamespacedPod. */
export function methodOf(methods: readonly ClientMethod[], operationId: string): ClientMethod | undefined {
  return methods.find(({ className, name }) => {
    const tag = className.replace(/Api$/, '');
    return operationId === name || (operationId.includes(tag) && operationId.replace(tag, '') === name);
  });
}
