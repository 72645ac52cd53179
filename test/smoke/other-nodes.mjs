/**
 * Runs smoke.mjs on other versions of Node.js, which npm brings along; needs the registry, so it is no part of
 * `npm test`:
 *
 *   npm run build && node test/smoke/other-nodes.mjs [VERSION ...]
 *
 * Invariant: exits with 0 only if every version passed.
 */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** The first and the last release of every supported line; test/package/node-range.test.ts compares them with the manifest. */
const SUPPORTED = ['20.19', '22.12', '22', '24', '26']
const versions = process.argv.length > 2 ? process.argv.slice(2) : SUPPORTED
const smoke = fileURLToPath(new URL('smoke.mjs', import.meta.url))

for (const version of versions) {
  const { status } = spawnSync('npx', ['--yes', `node@${version}`, smoke], { stdio: 'inherit' })
  if (status === 0) continue
  process.stderr.write(`Node.js ${version} failed\n`)
  process.exitCode = 1
}
