/**
 * The real KPL as a contestant: a JVM with the harness of `bench/kpl`, and below it the KPL's native daemon.
 * Invariant: CPU time is of the JVM and of all its children together; the settings are the KPL's best for throughput.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface, type Interface } from 'node:readline'
import { makePool } from '../harness/load.ts'
import { KPL } from '../harness/places.ts'
import { hasProcessTimes, treeCpuMs } from '../harness/process-cpu.ts'
import { isQuick } from '../harness/settings.ts'
import { REGION, STREAM_NAME } from './contestant.ts'
import type { Runner, Starter } from './race.ts'

export const KPL_VERSION = '1.1.1'
export const KPL_NAME = `KPL ${KPL_VERSION}`

const TARGET = `${KPL}target`
const CLASSPATH_FILE = join(TARGET, 'classpath')
export const MAX_OUTSTANDING_RECORDS = 20_000
/** Found by trial, each the best of its neighbours; anything else is the KPL's default. */
export const KPL_SETTINGS: Readonly<Record<string, string | number | boolean>> = {
  ThreadingModel: 'PER_REQUEST',
  EnableOldestFutureTracker: false,
  RateLimit: 1_000_000,
  RecordMaxBufferedTime: 100,
  MetricsLevel: 'none',
  LogLevel: 'error'
}

/** Compiles the harness, having fetched the KPL if need be; returns why the KPL cannot run here, undefined if it can. */
export function prepareKpl(): string | undefined {
  if (!hasProcessTimes) return 'CPU time of the KPL and its daemon is read from /proc, which this system does not have'
  for (const command of ['java', 'mvn']) {
    if (!succeeds(command, ['-version'])) return `the KPL needs Java 17 and Maven, and \`${command} -version\` failed`
  }
  mkdirSync(TARGET, { recursive: true })
  const goals = ['-q', '-B', 'compile', 'dependency:build-classpath', `-Dmdep.outputFile=${CLASSPATH_FILE}`]
  if (succeeds('mvn', ['-o', ...goals]) || (!isQuick && succeeds('mvn', goals))) return undefined
  const ways = isQuick ? 'from its local repository, and a quick run fetches nothing' : 'from any repository it knows'
  return `Maven could not get software.amazon.kinesis:amazon-kinesis-producer:${KPL_VERSION} ${ways}`
}

/** After `prepareKpl` only. */
export const kplStarter: Starter = {
  name: KPL_NAME,
  async start({ endpoint }, pool) {
    const folder = mkdtempSync(join(tmpdir(), 'kinesis-producer-kpl-'))
    const [properties, poolFile] = [join(folder, 'kpl.properties'), join(folder, 'pool')]
    writeFileSync(properties, propertiesOf(endpoint))
    writeFileSync(
      poolFile,
      makePool(pool)
        .map(({ partitionKey, text }) => `${partitionKey}\t${text}\n`)
        .join('')
    )
    const classpath = [join(TARGET, 'classes'), readFileSync(CLASSPATH_FILE, 'utf8').trim()].join(':')
    const quiet = '-Dorg.slf4j.simpleLogger.defaultLogLevel=error'
    const javaArguments = [quiet, '-cp', classpath, 'KplContestant', properties, poolFile, STREAM_NAME]
    const jvm = spawn('java', [...javaArguments, String(MAX_OUTSTANDING_RECORDS)], {
      stdio: ['pipe', 'pipe', 'inherit'],
      // It has static credentials; without this it asks the instance metadata address all the same.
      env: { ...process.env, AWS_EC2_METADATA_DISABLED: 'true' }
    })
    await once(jvm, 'spawn')
    return new KplRunner(jvm, folder)
  }
}

class KplRunner implements Runner {
  readonly #jvm: ChildProcess
  readonly #folder: string
  readonly #lines: Interface

  constructor(jvm: ChildProcess, folder: string) {
    this.#jvm = jvm
    this.#folder = folder
    this.#lines = createInterface(jvm.stdout!)
  }

  async drive(count: number) {
    const startMs = performance.now()
    const startCpuMs = treeCpuMs(this.#jvm.pid!)
    const answer = Promise.race([once(this.#lines, 'line'), once(this.#jvm, 'exit')])
    this.#jvm.stdin!.write(`${count}\n`)
    const [line] = await answer
    if (line !== 'done') throw new Error(`the KPL ended with ${line}`)
    return { wallMs: performance.now() - startMs, cpuMs: treeCpuMs(this.#jvm.pid!) - startCpuMs }
  }

  async close(): Promise<void> {
    const isRunning = this.#jvm.exitCode === null && this.#jvm.signalCode === null
    const exit = isRunning ? once(this.#jvm, 'exit') : undefined
    this.#jvm.stdin!.end()
    await exit
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

function propertiesOf(endpoint: string): string {
  const place = {
    Region: REGION,
    KinesisEndpoint: '127.0.0.1',
    KinesisPort: new URL(endpoint).port,
    VerifyCertificate: false,
    TempDirectory: TARGET
  }
  const entries = Object.entries<string | number | boolean>({ ...place, ...KPL_SETTINGS })
  return entries.map(([name, value]) => `${name}=${value}\n`).join('')
}

function succeeds(command: string, commandArguments: readonly string[]): boolean {
  try {
    execFileSync(command, commandArguments, { cwd: KPL, stdio: 'ignore' })
    return true
  } catch {
    // Not there, or not able to: the caller says which of the two it was looking for.
    return false
  }
}
