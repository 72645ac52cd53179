/** The lock of a state directory: with real processes, and with a directory in memory under a virtual clock. */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { StateLock } from '../../../src/cli/agent/lock.ts'
import type { LockDirectory, Process, ProcessTable } from '../../../src/cli/agent/lock-ports.ts'
import { nodeLockDirectory, nodeProcesses } from '../../../src/cli/agent/node-lock.ts'
import { processHost } from '../../../src/cli/process-host.ts'
import { systemClock } from '../../../src/system.ts'
import { VirtualClock } from '../../../src/testing/index.ts'

const { processes: PROCESSES } = processHost()
let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cli-lock-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

describe('45: of two processes on one state directory', () => {
  const ports = () => ({
    directory: nodeLockDirectory(folder),
    processes: nodeProcesses({ processes: PROCESSES }),
    clock: systemClock
  })

  /** A lock as another process of this machine would have written it. */
  function lockOf(pid: number): void {
    const self = nodeProcesses({ processes: { ...PROCESSES, pid } }).self()
    writeFileSync(join(folder, 'lock'), JSON.stringify({ ...self, token: 'other' }))
  }

  test('the second is refused while the first lives, naming its pid and host, and gets the lock once it is gone', async () => {
    const other = spawn('sleep', ['600'])
    lockOf(other.pid!)

    const refused = await StateLock.take(ports(), folder).catch((error: unknown) => error)
    const gone = new Promise(resolve => other.on('close', resolve))
    other.kill('SIGKILL')
    await gone
    const lock = await StateLock.take(ports(), folder)
    const { pid } = JSON.parse(readFileSync(join(folder, 'lock'), 'utf8'))
    await lock.release()

    expect(refused).toMatchObject({ code: 'CLI_ERR_STATE' })
    expect(String(refused)).toContain(`in use by process ${other.pid} of `)
    expect(pid).toBe(process.pid)
  })

  test('a lock whose pid belongs to another process now is stale', async () => {
    const other = spawn('sleep', ['600'])
    lockOf(other.pid!)
    const text = JSON.parse(readFileSync(join(folder, 'lock'), 'utf8'))
    writeFileSync(join(folder, 'lock'), JSON.stringify({ ...text, startedAt: '1' }))

    const lock = await StateLock.take(ports(), folder)
    await lock.release()
    other.kill('SIGKILL')

    expect(lock.lost.aborted).toBe(false)
  })

  test('38: a lock from before the machine started is stale', async () => {
    lockOf(process.pid)
    const text = JSON.parse(readFileSync(join(folder, 'lock'), 'utf8'))
    writeFileSync(join(folder, 'lock'), JSON.stringify({ ...text, bootId: 'another' }))

    const lock = await StateLock.take(ports(), folder)
    await lock.release()

    expect(lock.lost.aborted).toBe(false)
  })

  test('exactly one of eight that start at once on a stale lock gets it', async () => {
    writeFileSync(
      join(folder, 'lock'),
      JSON.stringify({ ...ports().processes.self(), pid: 2 ** 22 + 1, token: 'other' })
    )

    const taken = await Promise.allSettled(Array.from({ length: 8 }, () => StateLock.take(ports(), folder)))

    expect(taken.filter(({ status }) => status === 'fulfilled').length).toBe(1)
    for (const each of taken) if (each.status === 'fulfilled') await each.value.release()
  })
})

describe('a lock of another machine', () => {
  const self: Process = { pid: 1, host: 'here', bootId: 'b', startedAt: '1', space: 's' }
  const processes: ProcessTable = { self: () => self, stateOf: ({ host }) => (host === 'here' ? 'alive' : 'unknown') }
  const there = JSON.stringify({ ...self, host: 'there', token: 'other' })

  test('is refused as soon as it is touched again', async () => {
    const clock = new VirtualClock()
    const directory = new MemoryDirectory(clock)
    await directory.create('lock', there)
    const taking = StateLock.take({ directory, processes, clock }, '/state').catch((error: unknown) => error)

    await pass(clock, 2)
    await directory.touch('lock', there)
    await pass(clock, 2)

    expect(await taking).toMatchObject({
      code: 'CLI_ERR_STATE',
      message: 'the state directory /state is in use by process 1 of there'
    })
  })

  test.each([
    ['that nobody touches', there],
    ['that is empty, as one that is just being written,', '']
  ])('%s is taken after 30 s', async (_, text) => {
    const clock = new VirtualClock()
    const directory = new MemoryDirectory(clock)
    await directory.create('lock', text)
    let takenAtMs = 0
    const taking = StateLock.take({ directory, processes, clock }, '/state').then(lock => {
      takenAtMs = clock.nowMs()
      return lock
    })

    await pass(clock, 40)
    await (await taking).release()

    expect([takenAtMs, await directory.read('lock')]).toEqual([31_000, undefined])
  })
})

test('45: who loses the lock is told within two seconds, and leaves the lock of the other alone', async () => {
  const clock = new VirtualClock()
  const directory = new MemoryDirectory(clock)
  const self: Process = { pid: 1, host: 'here', bootId: 'b', startedAt: '1', space: 's' }
  const processes: ProcessTable = { self: () => self, stateOf: () => 'unknown' }
  const lock = await StateLock.take({ directory, processes, clock }, '/state')
  await pass(clock, 60)
  const before = lock.lost.aborted

  await directory.remove('lock')
  await directory.create('lock', JSON.stringify({ ...self, pid: 2, token: 'other' }))
  await pass(clock, 2)
  await lock.release()

  expect([before, lock.lost.aborted, JSON.parse((await directory.read('lock')) ?? '').pid]).toEqual([false, true, 2])
})

class MemoryDirectory implements LockDirectory {
  readonly #clock: VirtualClock
  readonly #files = new Map<string, { text: string; mtimeMs: number }>()

  constructor(clock: VirtualClock) {
    this.#clock = clock
  }

  async create(name: string, text: string): Promise<boolean> {
    if (this.#files.has(name)) return false
    this.#files.set(name, { text, mtimeMs: this.#clock.nowMs() })
    return true
  }

  async read(name: string): Promise<string | undefined> {
    return this.#files.get(name)?.text
  }

  async mtimeMs(name: string): Promise<number | undefined> {
    return this.#files.get(name)?.mtimeMs
  }

  async touch(name: string, text: string): Promise<void> {
    this.#files.set(name, { text, mtimeMs: this.#clock.nowMs() })
  }

  async touchProbe(): Promise<number> {
    return this.#clock.nowMs()
  }

  async rename(from: string, to: string): Promise<boolean> {
    const file = this.#files.get(from)
    if (file === undefined) return false
    this.#files.delete(from)
    this.#files.set(to, file)
    return true
  }

  async remove(name: string): Promise<void> {
    this.#files.delete(name)
  }
}

/** Lets whole seconds pass, and after each everything that waits for a promise. */
async function pass(clock: VirtualClock, seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second++) {
    await new Promise(resolve => setImmediate(resolve))
    clock.advanceBy(1000)
    await new Promise(resolve => setImmediate(resolve))
  }
}
