// Which Kubernetes this server says it is.

/** version.Info, as /version answers. */
export interface VersionInfo {
  major: string;
  minor: string;
  /** The version whose behaviour is shown, and the oldest that others may have. */
  emulationMajor: string;
  emulationMinor: string;
  minCompatibilityMajor: string;
  minCompatibilityMinor: string;
  gitVersion: string;
  gitCommit: string;
  gitTreeState: string;
  buildDate: string;
  goVersion: string;
  compiler: string;
  platform: string;
}

export const defaultVersion: VersionInfo = {
  major: '1',
  minor: '36',
  emulationMajor: '1',
  emulationMinor: '36',
  minCompatibilityMajor: '1',
  minCompatibilityMinor: '35',
  gitVersion: 'v1.36.0+t8s',
  gitCommit: '',
  gitTreeState: 'clean',
  buildDate: '1970-01-01T00:00:00Z',
  goVersion: 'none',
  compiler: 'node',
  platform: `${process.platform}/${process.arch === 'x64' ? 'amd64' : process.arch}`,
};

/** As labels of kubernetes_build_info. */
export const buildInfoOf = ({
  major,
  minor,
  gitVersion,
  gitCommit,
  gitTreeState,
  buildDate,
  goVersion,
  compiler,
  platform,
}: VersionInfo) => ({
  major,
  minor,
  git_version: gitVersion,
  git_commit: gitCommit,
  git_tree_state: gitTreeState,
  build_date: buildDate,
  go_version: goVersion,
  compiler,
  platform,
});
