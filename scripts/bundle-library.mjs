/**
 * Bundles the entry points of the manifest into `dist`: one file for each, where its source lies below `src`, and `dist/chunks`
 * for the code that entry points share. A process that starts reads a few files instead of two hundred.
 * Invariants: no module is in two files, so a class is one class; names are kept, so that a stack trace can be read; packages of
 * AWS and peers stay packages. NOTICES.txt has the licences of the packages that are inside.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'
import { noticesOf, packagesOf } from './notices.mjs'

const project = fileURLToPath(new URL('../', import.meta.url))
const { exports, dependencies, peerDependencies } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8'))

/** `consumer/lambda`, from src/consumer/lambda.ts. */
const names = Object.values(exports).flatMap(entry =>
  typeof entry === 'string' ? [] : [entry.default.default.replace(/^\.\/dist\/(.*)\.js$/, '$1')]
)
const outside = [...Object.keys(dependencies), ...Object.keys(peerDependencies)]

/** The package's index also loads codecs in JavaScript and WebAssembly. They take 50 ms, and nothing here uses them. */
const HISTOGRAM = 'hdr-histogram-js'
const onlyTheHistogram = {
  name: 'only-the-histogram',
  resolveId: id => (id === HISTOGRAM ? `\0${HISTOGRAM}` : null),
  load: id =>
    id === `\0${HISTOGRAM}`
      ? `export { default as Float64Histogram } from '${join(project, 'node_modules', HISTOGRAM, 'dist/Float64Histogram.js')}'`
      : null
}

/**
 * A file costs 0.5 ms when it is loaded, and unused code costs next to nothing. So few chunks are better than exact ones. These have
 * one border each: `./dedupe` and `./glue` need no codec, and `./deaggregate` nothing of the producer.
 */
const groups = [
  {
    name: 'consumer',
    test: /[\\/]src[\\/](?:consumer[\\/]deaggregate[\\/](?:consumer-error|given-options)|wire[\\/]bytes)\.ts$/
  },
  { name: 'codec', test: /[\\/]src[\\/](?:wire[\\/]|consumer[\\/]deaggregate(?:[\\/]|\.ts$))/ },
  // A group takes along what its modules import, unless an earlier group has it. So the metrics are last.
  { name: 'shared', test: /^(?!.*[\\/]src[\\/]metrics[\\/])/, minShareCount: 2 },
  { name: 'metrics', test: /./, minShareCount: 2 }
]

const bundle = await rolldown({
  cwd: project,
  input: Object.fromEntries(names.map(name => [name, `src/${name}.ts`])),
  external: id => id.startsWith('node:') || outside.some(name => id === name || id.startsWith(`${name}/`)),
  platform: 'node',
  plugins: [onlyTheHistogram]
})
const { output } = await bundle.write({
  dir: 'dist',
  format: 'esm',
  entryFileNames: '[name].js',
  chunkFileNames: 'chunks/[name].js',
  // Notes for bundlers about calls without effects stay.
  comments: { annotation: true, jsdoc: false, legal: false },
  minifyInternalExports: false,
  codeSplitting: { groups }
})
const modules = output.flatMap(({ moduleIds = [] }) => moduleIds)
writeFileSync(join(project, 'dist/NOTICES.txt'), noticesOf(packagesOf(modules)))
