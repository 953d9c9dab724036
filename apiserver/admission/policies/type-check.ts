// Type checking of validating policies: their expressions against the types of what their rules name. What it finds are warnings, in
// the policy's status; a policy with warnings is in force all the same (k8s.io/apiserver/pkg/admission/plugin/policy/validating).

import type { NamedRuleWithOperations, ValidatingAdmissionPolicy } from '../../../api/admissionregistration.ts';
import { apiVersionOf } from '../../../api/kind.ts';
import { AdmissionExpressions } from '../../cel/admission-expressions.ts';
import { CelError } from '../../cel/environment.ts';
import type { CelType } from '../../cel/types.ts';
import type { ResourceTable, Served } from '../../registry/resource-table.ts';
import { typeOfSchema } from './schema-types.ts';

/** As status.typeChecking has it. */
export interface ExpressionWarning {
  fieldRef: string;
  warning: string;
}

/** No more types are looked at for one rule. */
const typesMax = 10;

/** What is wrong with the types of a policy's validations and of their messages. */
export function typeCheckPolicy({ spec }: ValidatingAdmissionPolicy, resources: ResourceTable): ExpressionWarning[] {
  const matched = typesToCheck(spec?.matchConstraints?.resourceRules ?? [], resources);
  const { apiVersion, kind } = spec?.paramKind ?? {};
  const param = kind ? resources.all.find((each) => each.kind.kind === kind && apiVersionOf(each.kind) === apiVersion) : undefined;
  const params = param && typeOfSchema(param.schema, param.kind.kind);
  const warnings: ExpressionWarning[] = [];
  const check = (expression: string, fieldRef: string) => {
    const found = matched.flatMap((served) => problemOf(expression, served, { spec, params }) ?? []);
    if (found.length) warnings.push({ fieldRef, warning: found.join('\n') });
  };
  for (const [i, { expression, messageExpression }] of (spec?.validations ?? []).entries()) {
    check(expression, `spec.validations[${i}].expression`);
    if (messageExpression) check(messageExpression, `spec.validations[${i}].messageExpression`);
  }
  return warnings;
}

interface Surroundings {
  spec: ValidatingAdmissionPolicy['spec'];
  params: CelType | undefined;
}

function problemOf(expression: string, { kind, schema }: Served, { spec, params }: Surroundings): string | undefined {
  const object = typeOfSchema(schema, kind.kind);
  const scope = { hasParams: spec?.paramKind !== undefined, hasAuthorizer: true };
  const expressions = new AdmissionExpressions(scope, true, { object, params });
  for (const variable of spec?.variables ?? []) attempt(() => expressions.declareType(variable.name, variable.expression));
  const problem = attempt(() => void expressions.check(expression));
  return problem && `${kind.group}/${kind.version}, Kind=${kind.kind}: ${problem}\n`;
}

function attempt(check: () => void): string | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    if (error instanceof CelError) return error.message;
    throw error;
  }
}

/** The kinds that rules name outright, by group, version and kind; wildcards and subresources name none. */
function typesToCheck(rules: readonly NamedRuleWithOperations[], resources: ResourceTable): Served[] {
  const found = new Set<Served>();
  const isPlain = (name: string) => !name.includes('*');
  for (const { apiGroups = [], apiVersions = [], resources: names = [] } of rules) {
    if (!apiGroups.every(isPlain) || !apiVersions.every(isPlain)) continue;
    let count = 0;
    for (const group of [...apiGroups].sort())
      for (const version of [...apiVersions].sort())
        for (const name of names.filter((each) => !/[*/]/.test(each)).sort())
          for (const served of resources.all) {
            const { kind } = served;
            // No group stands for any, where a resource is looked up by its name.
            const isNamed = (group === '' || kind.group === group) && kind.version === version;
            if (!isNamed || kind.plural !== name.toLowerCase() || count === typesMax) continue;
            found.add(served);
            count++;
          }
    if (count === typesMax) break;
  }
  const key = ({ kind }: Served) => [kind.group, kind.version, kind.kind].join('\0');
  return [...found].sort((a, b) => (key(a) < key(b) ? -1 : 1));
}
