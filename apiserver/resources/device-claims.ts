// The rules of what a resource claim asks for, in claims and in their templates.

import { duplicate, type FieldError, forbidden, invalid, notSupported, required, tooMany } from '../../api/field-error.ts';
import type { DeviceClaim } from '../../api/resource.ts';
import { eachAt } from '../../api/validation/each.ts';
import { cIdentifierProblems, dns1123LabelProblems, dns1123SubdomainProblems } from '../../api/validation/formats.ts';

const listMax = 32;
const subRequestsMax = 8;
const driverNameMax = 63;
const expressionBytesMax = 10 * 1024;

type Request = NonNullable<DeviceClaim['requests']>[number];
type Asked = NonNullable<Request['exactly']>;
type Selector = NonNullable<Asked['selectors']>[number];
type Configuration = { opaque?: { driver: string; parameters: object } };

/** Sets what Kubernetes sets: one device, of exactly the class. */
export function defaultDeviceClaim(claim: DeviceClaim | undefined): void {
  for (const request of claim?.requests ?? [])
    for (const asked of [request.exactly, ...(request.firstAvailable ?? [])]) {
      if (!asked) continue;
      asked.allocationMode ||= 'ExactCount';
      if (asked.allocationMode === 'ExactCount') asked.count ||= 1;
      for (const toleration of asked.tolerations ?? []) toleration.operator ||= 'Equal';
    }
}

export function driverErrors(driver: string | undefined, at: string, errors: FieldError[]): void {
  if (!driver) errors.push(required(at));
  else {
    if (driver.length > driverNameMax) errors.push(invalid(at, driver, `must be no more than ${driverNameMax} characters`));
    for (const problem of dns1123SubdomainProblems(driver.toLowerCase())) errors.push(invalid(at, driver, problem));
  }
}

export function selectorsErrors(selectors: readonly Selector[] | undefined, at: string, errors: FieldError[]): void {
  if (selectors && selectors.length > listMax) errors.push(tooMany(at, selectors.length, listMax));
  eachAt(selectors, at, ({ cel }, each) => {
    if (!cel) errors.push(required(`${each}.cel`));
    else if (!cel.expression) errors.push(required(`${each}.cel.expression`));
    else if (Buffer.byteLength(cel.expression) > expressionBytesMax)
      errors.push(invalid(`${each}.cel.expression`, '', `may not be more than ${expressionBytesMax} bytes`));
  });
}

export function configurationErrors({ opaque }: Configuration, at: string, errors: FieldError[]): void {
  if (!opaque) {
    errors.push(required(`${at}.opaque`));
    return;
  }
  driverErrors(opaque.driver, `${at}.opaque.driver`, errors);
  if (opaque.parameters === undefined) errors.push(required(`${at}.opaque.parameters`));
  else if (typeof opaque.parameters !== 'object' || opaque.parameters === null || Array.isArray(opaque.parameters))
    errors.push(invalid(`${at}.opaque.parameters`, '<value omitted>', 'must be a valid JSON object'));
}

function nameErrors(name: string | undefined, at: string, errors: FieldError[]): void {
  if (!name) errors.push(required(at));
  else for (const problem of dns1123LabelProblems(name)) errors.push(invalid(at, name, problem));
}

function askedErrors(asked: Omit<Asked, 'adminAccess'>, at: string, errors: FieldError[]): void {
  const { deviceClassName, selectors, allocationMode = '', count = 0, tolerations } = asked;
  if (!deviceClassName) errors.push(required(`${at}.deviceClassName`));
  else
    for (const problem of dns1123SubdomainProblems(deviceClassName))
      errors.push(invalid(`${at}.deviceClassName`, deviceClassName, problem));
  selectorsErrors(selectors, `${at}.selectors`, errors);
  if (allocationMode === 'All') {
    if (count) errors.push(invalid(`${at}.count`, count, "must not be specified when allocationMode is 'All'"));
  } else if (allocationMode === 'ExactCount') {
    if (count <= 0) errors.push(invalid(`${at}.count`, count, 'must be greater than zero'));
  } else errors.push(notSupported(`${at}.allocationMode`, allocationMode, ['All', 'ExactCount']));
  eachAt(tolerations, `${at}.tolerations`, ({ key, operator, value, effect }, each) => {
    if (operator !== 'Equal' && operator !== 'Exists') errors.push(notSupported(`${each}.operator`, operator ?? '', ['Equal', 'Exists']));
    if (operator === 'Exists' && value) errors.push(invalid(`${each}.value`, value, 'must be empty for operator `Exists`'));
    if (operator === 'Equal' && !key) errors.push(required(`${each}.key`));
    if (effect && !['NoExecute', 'NoSchedule'].includes(effect))
      errors.push(notSupported(`${each}.effect`, effect, ['NoExecute', 'NoSchedule']));
  });
}

function requestErrors(request: Request, at: string, errors: FieldError[]): void {
  nameErrors(request.name, `${at}.name`, errors);
  const { exactly, firstAvailable } = request;
  if (exactly && firstAvailable?.length)
    errors.push(invalid(at, undefined, 'exactly one of `exactly` or `firstAvailable` is required, but multiple fields are set'));
  else if (exactly) askedErrors(exactly, `${at}.exactly`, errors);
  else if (firstAvailable?.length) {
    if (firstAvailable.length > subRequestsMax) errors.push(tooMany(`${at}.firstAvailable`, firstAvailable.length, subRequestsMax));
    uniqueErrors(firstAvailable, `${at}.firstAvailable`, errors);
    eachAt(firstAvailable, `${at}.firstAvailable`, (each, where) => {
      nameErrors(each.name, `${where}.name`, errors);
      askedErrors(each, where, errors);
    });
  } else errors.push(required(at, 'exactly one of `exactly` or `firstAvailable` is required'));
}

/** Adds a problem for each name that came before. */
export function uniqueErrors(list: readonly { name: string }[], at: string, errors: FieldError[]): void {
  const seen = new Set<string>();
  eachAt(list, at, ({ name }, each) => {
    if (seen.has(name)) errors.push(duplicate(each, name));
    seen.add(name);
  });
}

/** Adds the problems of an attribute's name with its domain: `dra.example.com/numa`. */
function attributeErrors(name: string, at: string, errors: FieldError[]): void {
  const [domain = '', id] = name.split('/');
  if (id === undefined) {
    errors.push(invalid(at, name, 'must include a domain'));
    return;
  }
  for (const problem of dns1123SubdomainProblems(domain)) errors.push(invalid(at, domain, problem));
  for (const problem of cIdentifierProblems(id)) errors.push(invalid(at, id, problem));
}

export function deviceClaimErrors(claim: DeviceClaim | undefined, at: string, errors: FieldError[]): void {
  const { requests = [], constraints = [], config = [] } = claim ?? {};
  for (const [field, list] of Object.entries({ requests, constraints, config }))
    if (list.length > listMax) errors.push(tooMany(`${at}.${field}`, list.length, listMax));
  uniqueErrors(requests, `${at}.requests`, errors);
  eachAt(requests, `${at}.requests`, (request, each) => requestErrors(request, each, errors));
  const names = new Set(requests.flatMap((r) => [r.name, ...(r.firstAvailable ?? []).map((sub) => `${r.name}/${sub.name}`)]));
  const referenceErrors = (list: readonly string[] | undefined, where: string) =>
    eachAt(list, where, (name, each) => {
      if (!names.has(name))
        errors.push(
          invalid(each, name, 'must be the name of a request in the claim or the name of a request and a subrequest separated by a slash'),
        );
    });
  eachAt(constraints, `${at}.constraints`, (constraint, each) => {
    referenceErrors(constraint.requests, `${each}.requests`);
    const { matchAttribute, distinctAttribute } = constraint;
    if (matchAttribute && distinctAttribute)
      errors.push(forbidden(each, 'only one of `matchAttribute` and `distinctAttribute` may be set'));
    if (matchAttribute) attributeErrors(matchAttribute, `${each}.matchAttribute`, errors);
    else if (distinctAttribute) attributeErrors(distinctAttribute, `${each}.distinctAttribute`, errors);
    else errors.push(required(`${each}.matchAttribute`));
  });
  eachAt(config, `${at}.config`, (each, where) => {
    referenceErrors(each.requests, `${where}.requests`);
    configurationErrors(each as Configuration, where, errors);
  });
}
