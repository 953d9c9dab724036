/** A flag or a line of the configuration file that cannot be used. */
export class ConfigError extends Error {
  override name = 'ConfigError';
}
