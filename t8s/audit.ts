// Where audit events go, as the configuration says: a file, a service outside, or both.

import { readFileSync } from 'node:fs';
import { type AuditLog, openAuditLog } from '../apiserver/audit/log-file.ts';
import { AuditPolicyError, readAuditPolicy } from '../apiserver/audit/policy.ts';
import { auditToAll, openWebhookAudit } from '../apiserver/audit/webhook-log.ts';
import type { AuditOptions } from '../apiserver/filters/audit.ts';
import { type ClusterConfig, ConfigError } from './config.ts';
import { askFrom } from './identity.ts';
import type { Ambient } from './node.ts';

/** @throws ConfigError for a file that cannot be used */
export async function openAudit(config: ClusterConfig, ambient: Ambient): Promise<AuditOptions | undefined> {
  const { auditPolicyFile, auditLogPath, auditLogMaxsize, auditLogMaxbackup, auditWebhookConfigFile } = config;
  if (auditPolicyFile === undefined) return undefined;
  const policy = readPolicy(auditPolicyFile);
  const logs: AuditLog[] = [];
  if (auditWebhookConfigFile !== undefined) {
    const ask = await askFrom('--audit-webhook-config-file', auditWebhookConfigFile, ambient);
    logs.push(openWebhookAudit({ ask, clock: ambient.clock, log: ambient.log }));
  }
  if (auditLogPath !== undefined) {
    const bytesMax = auditLogMaxsize === undefined ? {} : { bytesMax: auditLogMaxsize * 2 ** 20 };
    const backupsMax = auditLogMaxbackup === undefined ? {} : { backupsMax: auditLogMaxbackup };
    try {
      logs.push(openAuditLog({ path: auditLogPath, ...bytesMax, ...backupsMax }));
    } catch (error) {
      if (error instanceof Error && 'code' in error) throw new ConfigError(`--audit-log-path ${auditLogPath}: ${error.message}`);
      throw error;
    }
  }
  return { policy, log: auditToAll(logs) };
}

function readPolicy(file: string): AuditOptions['policy'] {
  try {
    return readAuditPolicy(readFileSync(file, 'utf8'));
  } catch (error) {
    if (error instanceof AuditPolicyError || (error instanceof Error && 'code' in error))
      throw new ConfigError(`--audit-policy-file ${file}: ${error.message}`);
    throw error;
  }
}
