/**
 * Programs of other languages: found, built and run.
 * Invariant: a program that is not there, or cannot be built, is a MissingToolchainError with one sentence, never a stack.
 * Everything that is built or downloaded for a referee goes into `build/referee/`, or into the cache of its own tool.
 */
import { execFile, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { MissingToolchainError } from './outcome.ts'

/** The project; this file runs from `build/test/referee`. */
export const PROJECT: string = fileURLToPath(new URL('../../../', import.meta.url))
const execute = promisify(execFile)
const BUILD_TIMEOUT_MS = 600_000
const RUN_TIMEOUT_MS = 300_000
const OUTPUT_BYTES = 64 * 1_048_576

export function sourceFolder(name: string): string {
  return join(PROJECT, 'test/referee', name)
}

/** Returns a folder of `build/referee`, which it makes. */
export function buildFolder(name: string): string {
  const folder = join(PROJECT, 'build/referee', name)
  mkdirSync(folder, { recursive: true })
  return folder
}

/** Returns two files of this process, for what a program gets and gives. They are removed when the process ends. */
export function exchangeFiles(name: string): readonly [inFile: string, outFile: string] {
  const folder = buildFolder(name)
  const files = [join(folder, `in-${process.pid}`), join(folder, `out-${process.pid}`)] as const
  if (exchanged.size === 0) process.once('exit', removeExchanged)
  for (const file of files) exchanged.add(file)
  return files
}

const exchanged = new Set<string>()

function removeExchanged(): void {
  for (const file of exchanged) rmSync(file, { force: true })
}

/** Returns the first line that a program prints about its version. */
export function versionOf(command: string, versionArguments: readonly string[], need: string): string {
  const { status, stdout, stderr } = spawnSync(command, versionArguments, { encoding: 'utf8' })
  if (status === 0) return firstVersion(`${stdout}\n${stderr}`)
  throw new MissingToolchainError(`needs ${need}, and \`${[command, ...versionArguments].join(' ')}\` failed.`)
}

/** Builds with a tool that may download. Its last words are in the error's message. */
export function build(
  command: string,
  buildArguments: readonly string[],
  folder: string,
  environment: object = {}
): void {
  const { status, stdout, stderr } = spawnSync(command, buildArguments, {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, ...environment },
    timeout: BUILD_TIMEOUT_MS
  })
  if (status === 0) return
  const lines = `${stdout ?? ''}\n${stderr ?? ''}`.split('\n').filter(line => line.trim() !== '')
  const words = lines.find(line => /error/i.test(line)) ?? lines.at(-1) ?? 'no output'
  throw new MissingToolchainError(`\`${command}\` could not build it: ${words.trim().slice(0, 300)}`)
}

/** Runs a built program to its end, while our event loop turns. Rejects if it fails: that is a finding. */
export async function run(command: string, runArguments: readonly string[]): Promise<string> {
  const limits = { timeout: RUN_TIMEOUT_MS, maxBuffer: OUTPUT_BYTES }
  const { stdout } = await execute(command, runArguments, { cwd: PROJECT, env: ENVIRONMENT, ...limits })
  return stdout
}

/** The programs have static credentials. Without the first they ask the instance metadata address as well. */
export const ENVIRONMENT: NodeJS.ProcessEnv = {
  ...process.env,
  AWS_EC2_METADATA_DISABLED: 'true',
  AWS_ACCESS_KEY_ID: 'any',
  AWS_SECRET_ACCESS_KEY: 'any',
  AWS_REGION: 'us-east-1',
  AWS_DEFAULT_REGION: 'us-east-1'
}

/** A Maven project of this folder, compiled. */
export interface JavaProgram {
  readonly classpath: string
  readonly toolchain: string
}

/** Compiles `test/referee/NAME` with `properties` of its pom.xml; `output` is its folder of `build/referee`. */
export function buildJava(
  name: string,
  output: string,
  properties: Readonly<Record<string, string>> = {}
): JavaProgram {
  const java = versionOf('java', ['-version'], 'Java 17 or later and Maven')
  versionOf('mvn', ['-version'], 'Java 17 or later and Maven')
  const target = buildFolder(output)
  const classpathFile = join(target, 'classpath')
  const given = Object.entries({ ...properties, output: target, 'mdep.outputFile': classpathFile })
  const goals = [
    '-q',
    '-B',
    'compile',
    'dependency:build-classpath',
    ...given.map(([key, value]) => `-D${key}=${value}`)
  ]
  build('mvn', goals, sourceFolder(name))
  const classpath = [join(target, 'classes'), readFileSync(classpathFile, 'utf8').trim()].join(delimiter)
  return { classpath, toolchain: `Java ${java}` }
}

export function runJava(
  { classpath }: JavaProgram,
  main: string,
  programArguments: readonly string[]
): Promise<string> {
  return run('java', javaArguments(classpath, main, programArguments))
}

export function javaArguments(classpath: string, main: string, programArguments: readonly string[]): string[] {
  return ['-Dorg.slf4j.simpleLogger.defaultLogLevel=error', '-cp', classpath, main, ...programArguments]
}

/** Returns the Python of an environment with `packages`, which it makes. */
export function buildPython(packages: readonly string[]): { readonly python: string; readonly toolchain: string } {
  const version = versionOf('python3', ['--version'], 'Python 3.10 or later with pip')
  const folder = join(buildFolder('python'), 'venv')
  const python = join(folder, 'bin/python')
  if (!existsSync(python)) build('python3', ['-m', 'venv', folder], PROJECT)
  build(python, ['-m', 'pip', 'install', '-q', '--disable-pip-version-check', ...packages], PROJECT)
  return { python, toolchain: `Python ${version}` }
}

function firstVersion(text: string): string {
  return /\d+\.\d+(?:\.\d+)?/.exec(text)?.[0] ?? 'of unknown version'
}
