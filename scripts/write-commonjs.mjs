/**
 * Writes what `require` gets of every entry point, `index.cjs` and `index.d.cts` beside `index.js`: the last step of the build.
 * Node.js can require an ES module, but TypeScript before 5.8, and later ones under `module: node16`, refuse it (TS1479).
 * Invariant: nothing is there twice. The code hands on the one ES module, and every declared name stands for that module's,
 * so that a class is one class and one type, however it was loaded.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { basename } from 'node:path'

const project = new URL('../', import.meta.url)
const { exports } = JSON.parse(readFileSync(new URL('package.json', project), 'utf8'))

for (const target of Object.values(exports)) {
  if (target.require === undefined) continue
  const module = new URL(target.default.default, project)
  const name = `'./${basename(module.pathname)}'`
  writeFileSync(new URL(target.require.default, project), `'use strict'\nmodule.exports = require(${name})\n`)
  writeFileSync(new URL(target.require.types, project), declarations(name, await import(module.href)))
}

function declarations(name, values) {
  const from = `from ${name} with { 'resolution-mode': 'import' };`
  const lines = Object.entries(values).flatMap(([exported, value]) => [
    `export declare const ${exported}: typeof esm.${exported};`,
    ...(isClass(value) ? [`export type ${exported} = esm.${exported};`] : [])
  ])
  return [`import type * as esm ${from}`, `export type * ${from}`, ...lines, ''].join('\n')
}

/** A class is a value and a type. A generic one would lose its parameters here; test/package/types.test.ts would see it. */
function isClass(value) {
  return typeof value === 'function' && /^class\b/.test(Function.prototype.toString.call(value))
}
