// What a command may touch of its process: injected, so that commands can be run in tests.

export interface CommandIo {
  env: NodeJS.ProcessEnv;
  isRoot: boolean;
  out: NodeJS.WritableStream;
  err: NodeJS.WritableStream;
}

/** A failure to be shown as one clear message, without a stack trace. */
export class UserError extends Error {
  override name = 'UserError';
}
