// Makes a fresh clone runnable: npm packages (the pinned Node among them), Debian packages, generated files and the
// build. Plain JavaScript for whatever Node (>= 20) the machine has; every step is skipped when it is already done.
//
//   node tools/setup.mjs [--tests]    --tests also installs what only the tests need

import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { accessSync, constants, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const stateFile = join(root, '.cache', 'setup.json');
const forTests = process.argv.includes('--tests');

/** Debian package to a program, or a library's directory, that it brings. */
const runPackages = {
  containerd: 'containerd',
  runc: 'runc',
  crun: 'crun',
  'containernetworking-plugins': '/usr/lib/cni/bridge',
  nftables: 'nft',
  iproute2: 'ip',
  conntrack: 'conntrack',
  iptables: 'iptables',
  mount: 'mount',
  'util-linux': 'nsenter',
  procps: 'sysctl',
  kmod: 'modprobe',
  'busybox-static': '/bin/busybox',
};
const testPackages = {
  'etcd-server': 'etcd',
  'docker-registry': 'docker-registry',
  'apache2-utils': 'htpasswd',
  openssl: 'openssl',
  'python3-kubernetes': '/usr/lib/python3/dist-packages/kubernetes',
  'ruby-kubeclient': '/usr/share/rubygems-integration/all/gems/kubeclient-4.9.3',
};
/** Unpacked beside the system, since it fights with other kubectl packages over /usr/bin/kubectl. */
const unpackedPackages = { 'kubernetes-client': 'usr/bin/kubectl' };

const [major = 0] = process.versions.node.split('.').map(Number);
if (major < 20)
  fail(
    `Node ${process.versions.node} is too old to set up typernetes: Node 20 or newer is needed (the cluster itself runs on a Node of its own).`,
  );

const state = readState();
installNodeModules();
installDebianPackages();
if (forTests) unpackDebianPackages();
build();
writeState(state);

function installNodeModules() {
  const lockHash = hashFiles(['package.json', 'package-lock.json']);
  if (state.lockHash === lockHash && existsSync(join(root, 'node_modules/.bin/node'))) return;
  if (existsSync(join(root, 'node_modules/.bin/node')) && state.lockHash === undefined && isInstallCurrent()) {
    state.lockHash = lockHash;
    return;
  }
  step('npm packages', () => {
    // Not `npm ci`: it refuses a lock without other platforms' optional packages. The locked versions hold all the same.
    run('npm', ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error'], 'npm could not install the packages');
  });
  if (!existsSync(join(root, 'node_modules/.bin/node'))) {
    fail(
      `npm brought no Node for ${process.platform}-${process.arch}: typernetes is pinned to the Node in package.json's optionalDependencies.`,
    );
  }
  state.lockHash = lockHash;
}

/** npm keeps a copy of the lock of what it installed. */
function isInstallCurrent() {
  const installed = join(root, 'node_modules/.package-lock.json');
  return existsSync(installed) && statSync(installed).mtimeMs >= statSync(join(root, 'package-lock.json')).mtimeMs;
}

function installDebianPackages() {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return;
  const wanted = { ...runPackages, ...(forTests ? testPackages : {}) };
  const missing = Object.keys(wanted).filter((name) => !isProgram(wanted[name]));
  if (missing.length === 0) return;
  if (!isProgram('apt-get')) {
    note(`these programs are missing and there is no apt-get to bring them: ${missing.map((name) => wanted[name]).join(', ')}`);
    return;
  }
  step(`Debian packages: ${missing.join(' ')}`, () => {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
    const install = () =>
      spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...missing], {
        env,
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
      });
    withoutServiceStarts(() => {
      let result = install();
      if (result.status !== 0) {
        spawnSync('apt-get', ['update', '-qq'], { env, stdio: 'ignore' });
        result = install();
      }
      if (result.status !== 0)
        fail(`apt-get could not install ${missing.join(' ')}:\n${result.stderr.trim().split('\n').slice(-8).join('\n')}`);
    });
  });
}

/** Debian starts a service when it is installed; t8s runs its own. */
function withoutServiceStarts(install) {
  const policy = '/usr/sbin/policy-rc.d';
  const isOurs = !existsSync(policy);
  if (isOurs) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    install();
  } finally {
    if (isOurs) execFileSync('rm', ['-f', policy]);
  }
}

function unpackDebianPackages() {
  for (const [name, program] of Object.entries(unpackedPackages)) {
    const directory = join(root, '.cache', 'debian', name);
    if (existsSync(join(directory, program))) continue;
    if (!isProgram('apt-get') || !isProgram('dpkg-deb')) {
      note(`${name} is missing and there is no apt-get to bring it`);
      continue;
    }
    step(`Debian package, unpacked: ${name}`, () => {
      mkdirSync(directory, { recursive: true });
      const download = () => spawnSync('apt-get', ['download', '-qq', name], { cwd: directory, encoding: 'utf8' });
      let result = download();
      if (result.status !== 0) {
        spawnSync('apt-get', ['update', '-qq'], { stdio: 'ignore' });
        result = download();
      }
      const file = readdirSync(directory).find((entry) => entry.endsWith('.deb'));
      if (!file) fail(`apt-get could not download ${name}: ${result.stderr}`);
      execFileSync('dpkg-deb', ['-x', join(directory, file), directory]);
    });
  }
}

function build() {
  const sourceHash = hashSources();
  if (state.sourceHash === sourceHash && existsSync(join(root, 'dist/t8s.js'))) return;
  step('build', () => {
    run(join(root, 'node_modules/.bin/node'), ['tools/generate.ts'], 'the machine schema could not be generated');
    run(join(root, 'node_modules/.bin/node'), ['tools/build.ts'], 'the build failed');
  });
  state.sourceHash = sourceHash;
}

/** Names, sizes and times of every source: cheap, and changes whenever an editor or git writes one. */
function hashSources() {
  const hash = createHash('sha256').update(state.lockHash ?? '');
  const visit = (directory) => {
    for (const entry of readdirSync(join(root, directory), { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
      if (entry.name === 'node_modules' || entry.name === 'dist' || entry.name.startsWith('.') || entry.name.includes('.generated.'))
        continue;
      const path = join(directory, entry.name);
      if (entry.isDirectory()) visit(path);
      else if (/\.(ts|json|proto|ya?ml)$/.test(entry.name) && !entry.name.endsWith('.test.ts')) {
        const { mtimeMs, size } = statSync(join(root, path));
        hash.update(`${path} ${mtimeMs} ${size}\n`);
      }
    }
  };
  visit('.');
  return hash.digest('hex');
}

function hashFiles(names) {
  const hash = createHash('sha256');
  for (const name of names) if (existsSync(join(root, name))) hash.update(readFileSync(join(root, name)));
  return hash.digest('hex');
}

function isProgram(program) {
  const paths = program.startsWith('/')
    ? [program]
    : [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'].map((directory) => join(directory, program));
  return paths.some((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch (error) {
      if (error.code === 'ENOENT' || error.code === 'EACCES' || error.code === 'ENOTDIR') return false;
      throw error;
    }
  });
}

function run(command, args, failure) {
  const result = spawnSync(command, args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  if (result.status !== 0) fail(`${failure}:\n${`${result.stdout ?? ''}${result.stderr ?? result.error?.message ?? ''}`.trim()}`);
}

function step(title, work) {
  const startMs = performance.now();
  work();
  console.log(`  ${title.padEnd(56)} ${((performance.now() - startMs) / 1000).toFixed(1)} s`);
}

function note(text) {
  console.error(`  note: ${text}`);
}

function fail(text) {
  console.error(`t8s: ${text}`);
  process.exit(1);
}

function readState() {
  if (!existsSync(stateFile)) return {};
  try {
    return JSON.parse(readFileSync(stateFile, 'utf8'));
  } catch (error) {
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}

function writeState(value) {
  mkdirSync(dirname(stateFile), { recursive: true });
  writeFileSync(stateFile, JSON.stringify(value));
}
