// The operations that are about no resource: discovery, the version, the logs, and what checks service account tokens.

import type { ResourceDeclaration } from '../resources/resource.ts';
import { groupWord, type Operation } from './operations.ts';

export interface ServedPaths {
  /** Service account tokens are issued, and so the documents to check them with are served. */
  issuesTokens: boolean;
  /** The server's log directory can be read. */
  servesLogs: boolean;
}

const about = { method: 'get', parameters: [], alsoAnswers: [], streams: false } as const;

/** `/api/`, `/apis/` and each group's document. */
export function discoveryOperationsOf(declarations: readonly ResourceDeclaration[]): Operation[] {
  const groups = [...new Set(declarations.map(({ kind }) => kind.group))].filter((group) => group !== '');
  const versions = { ...about, description: 'get available API versions' };
  return [
    { ...versions, path: '/api/', operationId: 'getCoreAPIVersions', tag: 'core', response: 'APIVersions' },
    { ...versions, path: '/apis/', operationId: 'getAPIVersions', tag: 'apis', response: 'APIGroupList' },
    ...groups.map((group): Operation => {
      const word = groupWord(group);
      const tag = word.slice(0, 1).toLowerCase() + word.slice(1);
      const description = 'get information of a group';
      return { ...about, path: `/apis/${group}/`, operationId: `get${word}APIGroup`, description, tag, response: 'APIGroup' };
    }),
  ];
}

/** Everything that lies neither under `/api` nor under `/apis`. */
export function pathOperationsOf({ issuesTokens, servesLogs }: ServedPaths): Operation[] {
  const version: Operation = {
    ...about,
    path: '/version/',
    operationId: 'getCodeVersion',
    description: 'get the version information for this server',
    tag: 'version',
    response: 'Info',
    produces: ['application/json'],
  };
  return [version, ...(issuesTokens ? issuerOperations : []), ...(servesLogs ? logOperations : [])];
}

const issuerOperations: readonly Operation[] = [
  {
    ...about,
    path: '/.well-known/openid-configuration/',
    operationId: 'getServiceAccountIssuerOpenIDConfiguration',
    description: "get service account issuer OpenID configuration, also known as the 'OIDC discovery doc'",
    tag: 'WellKnown',
    response: 'string',
    produces: ['application/json'],
  },
  {
    ...about,
    path: '/openid/v1/jwks/',
    operationId: 'getServiceAccountIssuerOpenIDKeyset',
    description: 'get service account issuer OpenID JSON Web Key Set (contains public token verification keys)',
    tag: 'openid',
    response: 'string',
    produces: ['application/jwk-set+json'],
  },
];

const logOperations: readonly Operation[] = [
  { ...about, path: '/logs/', operationId: 'logFileListHandler', description: 'list the log files', tag: 'logs', response: 'none' },
  { ...about, path: '/logs/{logpath}', operationId: 'logFileHandler', description: 'read a log file', tag: 'logs', response: 'none' },
];

/** The document of version 3 in which an operation is found: `apis/apps/v1`, `apis/apps`, `api`, `version`, `logs`. */
export function documentOf(path: string): string {
  const parts = path.split('/').filter((part) => part !== '');
  if (parts[0] === 'apis') return parts.slice(0, 3).join('/');
  if (parts[0] === 'api') return parts.slice(0, 2).join('/');
  return parts.filter((part) => !part.startsWith('{')).join('/');
}
