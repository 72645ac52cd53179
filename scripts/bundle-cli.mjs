/**
 * Bundles src/cli into `dist/cli`: main.js, gen-slice.js for threads of gen, a chunk for each command, and NOTICES.txt of what is in them.
 * Invariant: the library is not in the bundle. The command line imports the same modules as a program does, by their places in
 * `dist`; packages that the manifest asks for stay packages.
 */
import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { noticesOf, packagesOf } from './notices.mjs'

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
    // Names of functions and classes stay, so a stack trace can be read.
    minify: true,
    keepNames: true,
    lineLimit: 160,
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
  const main = join(outdir, 'main.js')
  writeFileSync(main, `#!/usr/bin/env node\n${readFileSync(main, 'utf8')}`)
  chmodSync(main, 0o755)
  return { files: Object.keys(metafile.outputs), packages: packagesOf(Object.keys(metafile.inputs)) }
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

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const outdir = join(project, 'dist/cli')
  rmSync(outdir, { recursive: true, force: true })
  const { packages } = await bundleCli(outdir)
  writeFileSync(join(outdir, 'NOTICES.txt'), noticesOf(packages))
}
