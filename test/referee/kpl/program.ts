/**
 * A running KPL: the Java program of this folder, which puts the records of a file on request.
 * Invariant: after `close` neither the JVM nor the daemon below it runs.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import {
  buildFolder,
  buildJava,
  ENVIRONMENT,
  exchangeFiles,
  type JavaProgram,
  javaArguments,
  sourceFolder
} from '../toolchain.ts'
import { formatUserRecord, type UserRecord } from '../user-record.ts'

export interface KplVersion {
  readonly version: string
  /** KPL 0.x has another group and another package than 1.x. */
  readonly group: string
  /** More properties than every version gets. */
  readonly properties?: Readonly<Record<string, string>>
}

export interface Kpl {
  /** Puts records `from` to `to`, and returns the count of those that were acknowledged. */
  put(streamName: string, from: number, to: number): Promise<number>
  close(): Promise<void>
}

const PACKAGE = 'software.amazon.kinesis.producer'
const PACKAGE_0 = 'com.amazonaws.services.kinesis.producer'
const PROGRAM = 'PutWithKpl'
/** Characters of the error output that an error shows. */
const LAST_WORDS = 2_000

/** A version of the KPL with its program, compiled. */
export type KplProgram = JavaProgram & KplVersion

export function buildKpl(kpl: KplVersion): KplProgram {
  const { version, group } = kpl
  const source = join(buildFolder(`kpl-${version}`), 'source')
  mkdirSync(source, { recursive: true })
  const text = readFileSync(join(sourceFolder('kpl'), `src/main/java/${PROGRAM}.java`), 'utf8')
  writeFileSync(join(source, `${PROGRAM}.java`), version.startsWith('0.') ? text.replaceAll(PACKAGE, PACKAGE_0) : text)
  return { ...kpl, ...buildJava('kpl', `kpl-${version}`, { 'kpl.version': version, 'kpl.group': group, source }) }
}

/** Starts the KPL for the fake at `port`, with the records that `put` counts from 0. */
export async function startKpl(
  { classpath, properties }: KplProgram,
  port: number,
  records: readonly UserRecord[]
): Promise<Kpl> {
  const [propertiesFile, recordsFile] = exchangeFiles('kpl')
  writeFileSync(propertiesFile, propertiesOf(port, properties))
  writeFileSync(recordsFile, records.map(record => `${formatUserRecord(record)}\n`).join(''))
  const jvm = spawn('java', javaArguments(classpath, PROGRAM, [propertiesFile, recordsFile]), {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: ENVIRONMENT
  })
  await once(jvm, 'spawn')
  const lines = createInterface(jvm.stdout!)
  const exit = once(jvm, 'exit')
  let lastWords = ''
  jvm.stderr!.on('data', chunk => {
    lastWords = `${lastWords}${chunk}`.slice(-LAST_WORDS)
  })
  return {
    async put(streamName, from, to) {
      const answer = Promise.race([once(lines, 'line'), exit])
      jvm.stdin!.write(`${streamName} ${from} ${to}\n`)
      const [line] = await answer
      const [count, ...error] = String(line).split(' ')
      if (typeof line !== 'string') throw new Error(`the KPL ended with exit code ${line}: ${lastWords}`)
      if (error.length > 0) throw new Error(`the KPL answered: ${line}`)
      return Number(count)
    },
    close: () => {
      jvm.stdin!.end()
      return exit.then(() => {})
    }
  }
}

function propertiesOf(port: number, properties: KplVersion['properties']): string {
  const entries = {
    Region: 'us-east-1',
    KinesisEndpoint: '127.0.0.1',
    KinesisPort: port,
    VerifyCertificate: false,
    MetricsLevel: 'none',
    LogLevel: 'error',
    TempDirectory: buildFolder('kpl'),
    RecordTtl: 30_000,
    RateLimit: 1_000_000,
    ...properties
  }
  return Object.entries(entries)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('')
}
