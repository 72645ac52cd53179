/**
 * A process of its own for one module, whose exported functions are called from here.
 * Invariant: `stop` resolves when the process is gone; a process that dies takes its pending calls with it.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { basename } from 'node:path'
import { ROUNDS } from './settings.ts'

interface Answer {
  readonly id: number
  readonly result?: unknown
  readonly error?: string
}

interface Pending {
  resolve(result: unknown): void
  reject(error: Error): void
}

type AsyncResult<Value> = Value extends (...args: never) => infer Result ? Promise<Awaited<Result>> : never
type Arguments<Value> = Value extends (...args: infer Args) => unknown ? Args : never

/** `Module` is `typeof import('./that.ts')`; arguments and results travel as structured clones. */
export class Child<Module> {
  readonly #process: ChildProcess
  readonly #pending = new Map<number, Pending>()
  #lastId = 0

  /** `module` is the URL of the compiled file. */
  constructor(module: URL, env: Readonly<Record<string, string>> = {}) {
    this.#process = fork(new URL('./child-main.js', import.meta.url), [module.href], {
      env: { ...process.env, ...env },
      execArgv: ['--expose-gc', '--no-warnings', ...profileOptions(module)],
      serialization: 'advanced'
    })
    this.#process.on('message', (answer: Answer) => this.#settle(answer))
    this.#process.on('exit', code => {
      for (const { reject } of this.#pending.values()) reject(new Error(`${module.pathname} ended with ${code}`))
    })
  }

  call<Name extends keyof Module>(name: Name, ...args: Arguments<Module[Name]>): AsyncResult<Module[Name]> {
    const id = ++this.#lastId
    const result = new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject })
      this.#process.send({ id, name, args }, error => {
        if (error !== null) reject(error)
      })
    })
    return result as AsyncResult<Module[Name]>
  }

  async stop(): Promise<void> {
    const isRunning = this.#process.exitCode === null && this.#process.signalCode === null
    if (!isRunning) return
    const exit = once(this.#process, 'exit')
    this.#process.disconnect()
    await exit
  }

  #settle({ id, result, error }: Answer): void {
    const pending = this.#pending.get(id)
    this.#pending.delete(id)
    if (error === undefined) pending?.resolve(result)
    else pending?.reject(new Error(error))
  }
}

let lastProfile = 0

/** With BENCH_PROFILE a process writes its CPU profile when it ends, numbered in the order in which they start. */
function profileOptions(module: URL): string[] {
  const folder = process.env['BENCH_PROFILE']
  if (folder === undefined) return []
  const name = `${basename(module.pathname, '.js')}-${++lastProfile}.cpuprofile`
  return ['--cpu-prof', `--cpu-prof-dir=${folder}`, `--cpu-prof-name=${name}`]
}

/** Runs `use` with a process of its own for `module`. */
export async function withChild<Module, Result>(
  module: URL,
  use: (child: Child<Module>) => Promise<Result>,
  env?: Readonly<Record<string, string>>
): Promise<Result> {
  const child = new Child<Module>(module, env)
  try {
    return await use(child)
  } finally {
    await child.stop()
  }
}

/** As many samples of `once` as there are rounds, all of one fresh process; `warmUps` more come before and are dropped. */
export function sampled<Module, Sample>(
  module: URL,
  once: (child: Child<Module>) => Promise<Sample>,
  { rounds = ROUNDS, warmUps = 0 }: { readonly rounds?: number; readonly warmUps?: number } = {}
): Promise<Sample[]> {
  return withChild<Module, Sample[]>(module, async child => {
    const samples: Sample[] = []
    for (let round = 0; round < rounds + warmUps; round++) samples.push(await once(child))
    return samples.slice(warmUps)
  })
}
