/**
 * Runs a program of `programs/` in a process of its own: what it leaves behind can only be counted there.
 * Invariant: the child's own words come over the message channel, so that its stdout and stderr hold only what the library
 * and the runtime wrote; a child that does not end by itself is killed and the run is rejected.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'

export interface ChildRun<Report> {
  /** What the program sent. */
  readonly report: Report
  readonly stdout: string
  readonly stderr: string
  readonly exitCode: number | null
  /** From the report, after which the program has nothing left to do, to the end of the process. */
  readonly lingeredMs: number
}

/** A program takes a tenth of this, unless the machine is very busy. */
export const MAX_PROGRAM_MS = 120_000

const ROOT = new URL('../../', import.meta.url)

/** Bundles our own code, leaves packages where they are, and runs the outcome. */
export async function runProgram<Report>(name: string, args: readonly string[] = []): Promise<ChildRun<Report>> {
  // Below the root, so that packages are found; by process, so that two runs of the tests do not meet.
  const folder = fileURLToPath(new URL(`build/lifecycle-${process.pid}/`, ROOT))
  const file = `${folder}${name}.mjs`
  mkdirSync(folder, { recursive: true })
  try {
    const input = fileURLToPath(new URL(`programs/${name}.ts`, import.meta.url))
    const bundle = await rolldown({ input, external: /^(?![./])/, platform: 'node' })
    await bundle.write({ file, format: 'esm' })
    await bundle.close()
    return await run<Report>(file, args)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function run<Report>(file: string, args: readonly string[]): Promise<ChildRun<Report>> {
  const child = fork(file, args, {
    execArgv: ['--expose-gc'],
    // Nobody's credentials, and not the SDK's farewell to Node.js 20, which is no word of ours.
    env: { PATH: process.env['PATH'], AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' },
    serialization: 'advanced',
    silent: true
  })
  const output = { stdout: '', stderr: '' }
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (output.stdout += text))
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (output.stderr += text))
  return new Promise((resolve, reject) => {
    let report: Report | undefined
    let reportedMs = 0
    const limit = setTimeout(() => child.kill('SIGKILL'), MAX_PROGRAM_MS)
    child.on('message', message => {
      report = message as Report
      reportedMs = performance.now()
    })
    child.on('error', reject)
    // The end of the process may be heard of before its last message; the end of the channel comes after it.
    Promise.all([once(child, 'close'), once(child, 'disconnect')]).then(([[exitCode, signal]]) => {
      clearTimeout(limit)
      const lingeredMs = performance.now() - reportedMs
      if (report === undefined) reject(new Error(`no report: ${exitCode ?? signal}\n${output.stderr}`))
      else resolve({ report, ...output, exitCode, lingeredMs })
    }, reject)
  })
}
