/**
 * A project below /tmp that has the packed package installed, as npm would install it, beside the packages that it needs.
 * Invariant: what is measured there is the published code, and not that of `build`; nothing comes from the registry.
 */
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PROJECT } from './places.ts'

const PACKAGE = 'kinesis-producer'
/** Scopes of the packages that the manifest asks for. */
const SCOPES = ['@aws-sdk', '@smithy'] as const

export interface PackedProject {
  /** A copy of `script` in the project, which finds packages as a user's file would. */
  add(script: URL): string
  remove(): void
}

/** Builds and packs the working tree. */
export function packedProject(): PackedProject {
  const folder = mkdtempSync(join(tmpdir(), 'kinesis-producer-packed-'))
  const modules = join(folder, 'node_modules')
  const installed = join(modules, PACKAGE)
  mkdirSync(installed, { recursive: true })
  // `npm pack` builds before.
  const packed = execFileSync('npm', ['pack', '--silent', '--offline', '--pack-destination', folder], {
    cwd: PROJECT,
    encoding: 'utf8'
  })
  const tarball = join(folder, packed.trim().split('\n').at(-1) ?? '')
  execFileSync('tar', ['-xzf', tarball, '--strip-components=1', '-C', installed])
  for (const scope of SCOPES) symlinkSync(join(PROJECT, 'node_modules', scope), join(modules, scope))
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
  return {
    add(script) {
      const from = fileURLToPath(script)
      const to = join(folder, basename(from))
      copyFileSync(from, to)
      return to
    },
    remove: () => rmSync(folder, { recursive: true, force: true })
  }
}
