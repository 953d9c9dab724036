// A container that cannot be made as its pod asks: the reason is its waiting state's, the message Kubernetes'.

export type StartFailureReason =
  | 'CreateContainerConfigError'
  | 'CreateContainerError'
  | 'RunContainerError'
  | 'PreStartHookError'
  | 'PostStartHookError'
  | 'ErrImagePull'
  | 'ImagePullBackOff'
  | 'ErrImageNeverPull'
  | 'InvalidImageName'
  | 'ImageInspectError'
  | 'CrashLoopBackOff'
  | 'ContainerCreating'
  | 'PodInitializing';

export class StartFailure extends Error {
  override name = 'StartFailure';
  readonly reason: StartFailureReason;
  constructor(reason: StartFailureReason, message: string) {
    super(message);
    this.reason = reason;
  }
}

export const configError = (message: string) => new StartFailure('CreateContainerConfigError', message);
