/**
 * Names the packages whose code is in a bundle, and returns the text of their licences, which goes with the code.
 * Invariant: a package without a licence text fails the build.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const modules = fileURLToPath(new URL('../node_modules/', import.meta.url))

/** The names of the packages that these files of a bundle come from. */
export function packagesOf(paths) {
  const packages = new Set()
  for (const path of paths) {
    const found = /node_modules[\\/]((?:@[^\\/]+[\\/])?[^\\/]+)[\\/]/.exec(path)
    if (found !== null) packages.add(found[1])
  }
  return [...packages].sort()
}

export function noticesOf(packages) {
  return packages
    .map(name => {
      const folder = join(modules, name)
      const { version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
      const text = ['LICENSE', 'LICENSE.md', 'LICENSE.txt', 'license'].flatMap(file => readOrNone(join(folder, file)))
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
