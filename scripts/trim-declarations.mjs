/**
 * Removes the declarations that no entry point reaches: private parts of the library, which `tsc` declares all the same.
 * Invariant: every module that a remaining declaration names is there.
 */
import { readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const project = fileURLToPath(new URL('../', import.meta.url))
const { exports } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8'))
const MODULE = /(?:\bfrom|\bimport)\s*\(?\s*['"](\.[^'"]+)\.[jt]s['"]/g

const reached = new Set()
for (const entry of Object.values(exports)) if (typeof entry !== 'string') visit(join(project, entry.default.types))
removeOthers(join(project, 'dist'))

function visit(path) {
  if (reached.has(path)) return
  reached.add(path)
  for (const [, module] of readFileSync(path, 'utf8').matchAll(MODULE)) visit(join(dirname(path), `${module}.d.ts`))
}

function removeOthers(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) removeOthers(path)
    else if (path.endsWith('.d.ts') && !reached.has(path)) rmSync(path)
  }
  if (readdirSync(folder).length === 0) rmdirSync(folder)
}
