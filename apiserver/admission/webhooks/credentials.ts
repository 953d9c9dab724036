// Who the server is to webhooks: users of a kubeconfig that are named like the webhooks' hosts, as the configurations of the
// webhook plug-ins say (k8s.io/apiserver/pkg/util/webhook/authentication.go).

import { isAbsolute } from 'node:path';
import { forbidden, invalid } from '../../../api/field-error.ts';
import { KubeconfigError, type KubeconfigUser, readKubeconfigUsers } from '../../../client/kubeconfig.ts';
import type { PluginConfiguration } from '../configuration/admission-configuration.ts';
import { configurationProblem } from '../configuration/configuration-problem.ts';
import { strictObject } from '../configuration/strict-object.ts';
import { AdmissionConfigurationError } from '../plugin-order.ts';

/** The user for a webhook at this address, which for a service is the service's own name. */
export type WebhookCredentials = (url: URL) => KubeconfigUser | undefined;

const group = 'apiserver.config.k8s.io';
const shape = { kubeConfigFile: 'string', staticManifestsDir: 'string' } as const;
const kind = { kind: 'WebhookAdmissionConfiguration', group, versions: ['v1'], shape } as const;
const oldKind = { kind: 'WebhookAdmission', group, versions: ['v1alpha1'], shape } as const;

/** @throws AdmissionConfigurationError */
export async function readWebhookCredentials(configuration?: PluginConfiguration): Promise<WebhookCredentials | undefined> {
  if (!configuration) return undefined;
  const { value } = configuration;
  const isOld = typeof value === 'object' && value !== null && 'kind' in value && value.kind === oldKind.kind;
  const written = strictObject(value, isOld ? oldKind : kind) as { kubeConfigFile?: string; staticManifestsDir?: string };
  const { kubeConfigFile: file = '', staticManifestsDir } = written;
  if (staticManifestsDir) {
    const why = 'staticManifestsDir requires the ManifestBasedAdmissionControlConfig feature gate to be enabled';
    throw configurationProblem([forbidden('staticManifestsDir', why)]);
  }
  if (file === '') return undefined;
  if (!isAbsolute(file)) throw configurationProblem([invalid('kubeConfigFile', file, 'must be an absolute file path')]);
  try {
    const { users, current } = await readKubeconfigUsers(file);
    return (url) => {
      const port = url.port || '443';
      const names = [...namesFor(`${url.hostname}:${port}`), ...(port === '443' ? namesFor(url.hostname) : []), '*', current ?? ''];
      return names.map((name) => users.get(name)).find((user) => user);
    };
  } catch (error) {
    if (error instanceof KubeconfigError || (error instanceof Error && 'code' in error))
      throw new AdmissionConfigurationError(error.message);
    throw error;
  }
}

/** The name itself, and a star in the place of ever more of its beginning. */
function namesFor(target: string): string[] {
  const steps = target.split('.');
  return [target, ...steps.slice(1).map((_, index) => `*.${steps.slice(index + 1).join('.')}`)];
}
