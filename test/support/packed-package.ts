/**
 * The package as npm would publish it, and projects that have it installed.
 * Invariant: a copy is built and packed, so that nothing in the working tree changes under other tests; nothing comes from
 * the registry.
 */
import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

export interface Manifest {
  readonly name: string
  readonly exports: Readonly<Record<string, string | { readonly default: { readonly default: string } }>>
  readonly dependencies: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
}

export const PROJECT = fileURLToPath(new URL('../..', import.meta.url))
export const MODULES = join(PROJECT, 'node_modules')
export const manifest: Manifest = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8'))
/** An import of a program, and the source file behind it. */
export const entryPoints = Object.entries(manifest.exports).flatMap(([path, target]) =>
  typeof target === 'string'
    ? []
    : [{ name: join(manifest.name, path), source: target.default.default.replace(/^\.\/dist\/(.*)\.js$/, 'src/$1.ts') }]
)

export interface PackedPackage {
  /** The package as it was built and packed. */
  readonly stage: string
  readonly tarball: string
  /** A new project that has the package, what its manifest asks for, and these packages of ours; nothing else. */
  project(name: string, ...packages: readonly string[]): string
  /** Removes everything, projects included. */
  remove(): void
}

export async function packPackage(): Promise<PackedPackage> {
  const folder = mkdtempSync(join(tmpdir(), 'package-'))
  const stage = join(folder, 'stage')
  const skipped = ['node_modules', '.git', 'build', 'dist', 'coverage', 'test', 'bench']
  cpSync(PROJECT, stage, { recursive: true, filter: path => !skipped.includes(basename(path)) })
  symlinkSync(MODULES, join(stage, 'node_modules'))
  await run('npm', ['run', '--silent', 'build'], stage)
  const packed = await run('npm', ['pack', '--ignore-scripts', '--offline', '--silent'], stage)
  const tarball = join(stage, packed.stdout.trim())
  const unpacked = join(folder, 'unpacked')
  mkdirSync(unpacked)
  await run('tar', ['-xzf', tarball, '--strip-components=1', '-C', unpacked], stage)
  const project = (name: string, ...packages: readonly string[]): string => {
    const at = join(folder, name)
    const { dependencies, peerDependencies = {} } = manifest
    const asked = [...Object.keys(dependencies), ...Object.keys(peerDependencies), '@types/node', ...packages]
    link(at, [...new Set(asked)])
    cpSync(unpacked, join(at, 'node_modules', manifest.name), { recursive: true })
    writeFileSync(join(at, 'package.json'), '{"type":"module"}')
    return at
  }
  return { stage, tarball, project, remove: () => rmSync(folder, { recursive: true, force: true }) }
}

export interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs a program to its end; throws with all it printed when it fails. */
export async function run(
  program: string,
  args: readonly string[],
  cwd: string,
  environment: Readonly<Record<string, string>> = {}
): Promise<Ended> {
  const quiet = { npm_config_update_notifier: 'false', AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' }
  const env = { ...process.env, ...quiet, NO_COLOR: '1', ...environment }
  try {
    const { stdout, stderr } = await promisify(execFile)(program, [...args], { cwd, env, encoding: 'utf8' })
    return { code: 0, stdout, stderr }
  } catch (error) {
    const { message, stdout } = error as Error & { stdout?: string }
    throw new Error(`${message}\n${stdout ?? ''}`)
  }
}

/** Installs packages into a folder without the registry. */
export function link(into: string, names: readonly string[]): void {
  for (const name of names) {
    const at = join(into, 'node_modules', name)
    mkdirSync(dirname(at), { recursive: true })
    symlinkSync(join(MODULES, name), at)
  }
}

/** Compiles a project; `compiler` is a folder of node_modules. */
export function compile(at: string, compiler = 'typescript'): Promise<Ended> {
  return run(process.execPath, [join(MODULES, compiler, 'bin/tsc'), '-p', at, '--pretty', 'false'], at)
}

export function filesIn(path: string): string[] {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name).slice(path.length + 1))
    .sort()
}
