// Where a webhook is said to be, by address or by service: the rules that Kubernetes has for every kind of webhook
// (k8s.io/apiserver/pkg/util/webhook).

import type { WebhookClientConfig } from '../../api/apiextensions.ts';
import { type FieldError, invalid, required } from '../../api/field-error.ts';
import { dns1123SubdomainProblems, portNumberProblems } from '../../api/validation/formats.ts';

const form = '; desired format: https://host[/path]';

/** `at` is where the configuration stands. */
export function clientConfigErrors({ url, service }: WebhookClientConfig, at: string): FieldError[] {
  if ((url === undefined) === (service === undefined)) return [required(at, 'exactly one of url or service is required')];
  return url === undefined ? serviceErrors(service ?? { namespace: '', name: '' }, `${at}.service`) : urlErrors(url, `${at}.url`);
}

function urlErrors(text: string, at: string): FieldError[] {
  const [, scheme = '', authority = '', query, fragment] =
    /^(?:([a-z][a-z0-9+.-]*):)?(?:\/\/([^/?#]*))?[^?#]*(\?[^#]*)?(#.*)?$/is.exec(text) ?? [];
  const user = authority.includes('@') ? authority.slice(0, authority.lastIndexOf('@')) : undefined;
  const host = authority.slice(authority.lastIndexOf('@') + 1);
  const errors: FieldError[] = [];
  if (scheme.toLowerCase() !== 'https') errors.push(invalid(at, scheme, `'https' is the only allowed URL scheme${form}`));
  if (host === '') errors.push(invalid(at, host, `host must be specified${form}`));
  if (user !== undefined) errors.push(invalid(at, user, 'user information is not permitted in the URL'));
  if (fragment && fragment.length > 1) errors.push(invalid(at, fragment.slice(1), 'fragments are not permitted in the URL'));
  if (query && query.length > 1) errors.push(invalid(at, query.slice(1), 'query parameters are not permitted in the URL'));
  return errors;
}

function serviceErrors({ name, namespace, path, port = 443 }: NonNullable<WebhookClientConfig['service']>, at: string): FieldError[] {
  const errors: FieldError[] = [];
  if (!name) errors.push(required(`${at}.name`));
  if (!namespace) errors.push(required(`${at}.namespace`));
  const problems = portNumberProblems(port);
  if (problems.length > 0) errors.push(invalid(`${at}.port`, port, `port is not valid: ${problems.join(', ')}`));
  if (path === undefined || path === '' || path === '/') return errors;
  const refuse = (why: string) => errors.push(invalid(`${at}.path`, path, why));
  if (path === '//') {
    refuse('segment[0] may not be empty');
    return errors;
  }
  if (!path.startsWith('/')) refuse("must start with a '/'");
  path
    .slice(1)
    .replace(/\/$/, '')
    .split('/')
    .forEach((segment, i) => {
      if (segment === '') refuse(`segment[${i}] may not be empty`);
      else for (const problem of dns1123SubdomainProblems(segment)) refuse(`segment[${i}]: ${problem}`);
    });
  return errors;
}
