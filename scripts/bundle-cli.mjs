/**
 * Bundles src/cli into `dist/cli`: main.js, gen-slice.js for threads of gen, a chunk for each command, and NOTICES.txt of what is in them.
 * Invariant: the library is not in the bundle. The command line imports the same modules as a program does, by their places in
 * `dist`; packages that the manifest asks for stay packages.
 */
import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const project = fileURLToPath(new URL('../', import.meta.url))
const source = join(project, 'src/cli')

/** Returns the files that were written, and the packages that are in them. */
export async function bundleCli(outdir, { isLibraryInside = false } = {}) {
  const { metafile } = await build({
    entryPoints: [join(source, 'main.ts'), join(source, 'gen-slice.ts')],
    outdir,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    // The ES modules of packages that have both: a CommonJS wrapper may require what is not there.
    mainFields: ['module', 'main'],
    chunkNames: '[name]-[hash]',
    // Commander is CommonJS and requires parts of Node.js; fdir imports the same function under its own name.
    banner: {
      js: "import { createRequire as createRequireOfBundle } from 'node:module'\nconst require = createRequireOfBundle(import.meta.url)"
    },
    legalComments: 'none',
    metafile: true,
    absWorkingDir: project,
    logLevel: 'error',
    external: ['@aws-sdk/*', '@smithy/*', '@faker-js/faker', 'hdr-histogram-js', 'p-retry', '@opentelemetry/api'],
    plugins: isLibraryInside ? [] : [libraryOutside]
  })
  const packages = new Set()
  for (const path of Object.keys(metafile.inputs)) {
    const found = /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)
    if (found !== null) packages.add(found[1])
  }
  const main = join(outdir, 'main.js')
  writeFileSync(main, `#!/usr/bin/env node\n${readFileSync(main, 'utf8')}`)
  chmodSync(main, 0o755)
  return { files: Object.keys(metafile.outputs), packages: [...packages].sort() }
}

/** `../../index.ts` of a command becomes `../index.js` of its chunk, for all chunks lie in one folder below `dist`. */
const libraryOutside = {
  name: 'library-outside',
  setup({ onResolve }) {
    onResolve({ filter: /^\./ }, ({ path, resolveDir }) => {
      const isOurs = resolveDir.startsWith(source)
      const place = relative(join(project, 'src'), join(resolveDir, path))
      // The table of options is no entry point: the command line has a copy of it.
      if (!isOurs || place.startsWith('cli') || place === 'model/options.ts') return undefined
      return { path: `../${place.replace(/\.ts$/, '.js')}`, external: true }
    })
  }
}

function noticesOf(packages) {
  return packages
    .map(name => {
      const folder = join(project, 'node_modules', name)
      const { version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
      const text = ['LICENSE', 'LICENSE.md', 'LICENSE.txt'].flatMap(file => readOrNone(join(folder, file)))
      if (text.length === 0) throw new Error(`${name} has no licence text`)
      return `${name} ${version} (${license})\n\n${text[0].trim()}\n`
    })
    .join(`\n${'-'.repeat(80)}\n\n`)
}

function readOrNone(path) {
  try {
    return [readFileSync(path, 'utf8')]
  } catch {
    // The next name of the list may be there.
    return []
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const outdir = join(project, 'dist/cli')
  rmSync(outdir, { recursive: true, force: true })
  const { packages } = await bundleCli(outdir)
  writeFileSync(join(outdir, 'NOTICES.txt'), noticesOf(packages))
}
