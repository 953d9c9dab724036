// Bundles the command and the library into dist/. Packages with native parts or data files of their own stay outside.

import { copyFile, mkdir, rm } from 'node:fs/promises';
import { build } from 'esbuild';

const outside = ['lmdb', 'etcd3', 'esbuild', '@kubernetes/client-node', 'pino'];

await rm('dist', { recursive: true, force: true });
await mkdir('dist', { recursive: true });
await build({
  entryPoints: { t8s: 't8s/main.ts', typernetes: 'testing/cluster.ts' },
  outdir: 'dist',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node26',
  external: outside,
  sourcemap: true,
  sourcesContent: false,
  legalComments: 'none',
  // Bundled CommonJS packages call require for node's own modules.
  banner: { js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);" },
  logLevel: 'warning',
});
const besideTheCode = [
  'runtime/cri.proto',
  'runtime/containerd.proto',
  'apiserver/encryption/kms/kms.proto',
  'apiserver/schema/models.generated.json',
  'apiserver/schema/descriptions.generated.json',
];
for (const file of besideTheCode) await copyFile(file, `dist/${file.split('/').at(-1)}`);
