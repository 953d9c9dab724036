// Makes Kubernetes' libraries known to the CEL library: their types, the names they stand under, their functions and their equality.

import type { Environment } from '@marcbachmann/cel-js';
import { authorizerFunctions, authorizerTypes } from '../authorizer.ts';
import { conversionFunctions } from './conversions.ts';
import type { LibraryFunction, LibraryValue } from './library-function.ts';
import { listFunctions } from './lists.ts';
import { registerMacros } from './macros.ts';
import { CelFormat, formatFunctions } from './named-format.ts';
import { CelCidr, CelIp, networkFunctions } from './network.ts';
import { CelQuantity, quantityFunctions } from './quantity.ts';
import { CelSemver, semverFunctions } from './semver.ts';
import { stringFunctions } from './strings.ts';
import { CelUrl, urlFunctions } from './url.ts';

/** Every function of Kubernetes' environment that CEL's own standard library lacks. */
export const libraryFunctions: readonly LibraryFunction[] = [
  ...authorizerFunctions,
  ...conversionFunctions,
  ...formatFunctions,
  ...listFunctions,
  ...networkFunctions,
  ...quantityFunctions,
  ...semverFunctions,
  ...stringFunctions,
  ...urlFunctions,
];

const types: readonly (readonly [name: string, ctor: abstract new (...args: never[]) => LibraryValue])[] = [
  ['kubernetes.NamedFormat', CelFormat],
  ['kubernetes.Quantity', CelQuantity],
  ['kubernetes.Semver', CelSemver],
  ['kubernetes.URL', CelUrl],
  ['net.CIDR', CelCidr],
  ['net.IP', CelIp],
];

/** Names that stand before a dot without being values. */
const namespaces = ['format', 'ip', 'jsonpatch', 'lists', 'sets', 'strings'];

/** Makes all of it known to `environment`. */
export function registerLibraries(environment: Environment): void {
  for (const [name, ctor] of types) {
    environment.registerType(name, ctor as never);
    environment.registerOperator(`${name} == ${name}`, ((a: LibraryValue, b: unknown) => a.equals(b)) as never);
  }
  for (const [name, type] of authorizerTypes) environment.registerType(name, type as never);
  for (const name of namespaces) {
    class Namespace {}
    const typeName = `${name}Namespace`;
    environment.registerType(typeName, Namespace as never);
    environment.registerConstant(name, typeName as never, new Namespace() as never);
  }
  for (const [declared, compute] of libraryFunctions) {
    // The CEL library cannot carry a parameter into an optional when what it stands for is dynamic.
    const signature = declared.replace(/optional<T>$/, 'optional<dyn>');
    const [, namespace, rest] = /^(\w+)\.(.*)$/.exec(signature) ?? [];
    if (namespace !== undefined && namespaces.includes(namespace)) {
      environment.registerFunction(`${namespace}Namespace.${rest}`, ((_: unknown, ...args: never[]) => compute(...args)) as never);
    } else if (namespace === 'optional') {
      environment.registerFunction(`OptionalNamespace.${rest}`, ((_: unknown, ...args: never[]) => compute(...args)) as never);
    } else environment.registerFunction(spelledOut(signature), compute as never);
  }
  registerMacros(environment);
}

/** The CEL library knows times only by their full names. */
const spelledOut = (signature: string) =>
  signature.replaceAll(/(?<=[<(, ])(duration|timestamp)(?=[>), ]|$)/g, (name) =>
    name === 'duration' ? 'google.protobuf.Duration' : 'google.protobuf.Timestamp',
  );
