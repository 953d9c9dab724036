// The health check node ports: a load balancer asks a node whether a service with a Local external policy has endpoints
// there. One HTTP server per service.

import { createServer, type Server } from 'node:http';
import type { Log } from '../base/log.ts';
import type { HealthCheck } from './plan.ts';

export class HealthChecks {
  readonly #log: Log;
  readonly #servers = new Map<number, { server: Server; check: HealthCheck }>();

  constructor(log: Log) {
    this.#log = log;
  }

  /** Opens, changes and closes servers until they are those of `checks`. */
  apply(checks: readonly HealthCheck[]): void {
    const wanted = new Map(checks.map((check) => [check.port, check]));
    for (const [port, { server }] of this.#servers) {
      if (wanted.has(port)) continue;
      this.#servers.delete(port);
      server.close();
      server.closeAllConnections();
    }
    for (const check of checks) {
      const open = this.#servers.get(check.port);
      if (open) open.check = check;
      else this.#open(check);
    }
  }

  close(): void {
    this.apply([]);
  }

  #open(check: HealthCheck): void {
    const server = createServer((_request, response) => {
      const { namespace, name, localEndpoints } = this.#servers.get(check.port)?.check ?? check;
      response.writeHead(localEndpoints > 0 ? 200 : 503, {
        'content-type': 'application/json',
        'x-content-type-options': 'nosniff',
        'x-load-balancing-endpoint-weight': String(localEndpoints),
      });
      response.end(JSON.stringify({ service: { namespace, name }, localEndpoints, serviceProxyHealthy: true }));
    });
    server.on('error', (error) => {
      this.#log.error('health check node port cannot be served', {
        service: `${check.namespace}/${check.name}`,
        port: check.port,
        error: error.message,
      });
      this.#servers.delete(check.port);
    });
    server.listen(check.port);
    server.unref();
    this.#servers.set(check.port, { server, check });
  }
}
