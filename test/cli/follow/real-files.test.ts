/**
 * Following files of this machine: what the model cannot prove. `FOLLOW_FILES=10000` is the full count of T27.
 */
import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  copyFileSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { DEFAULT_FLOW, type FlowSettings } from '../../../src/cli/follow/flow-settings.ts'
import { Follower, type FollowOptions, type FollowResult } from '../../../src/cli/follow/follower.ts'
import type { FlowSink } from '../../../src/cli/follow/ports.ts'
import { realFiles } from '../../../src/cli/follow/real-files.ts'
import { StateStore } from '../../../src/cli/follow/state-store.ts'
import { systemClock, systemRandom } from '../../../src/system.ts'
import { ModelDirectory } from './model-directory.ts'

const FILES = Number(process.env['FOLLOW_FILES'] ?? 600)
let folder = ''

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'follow-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

interface Running {
  readonly sent: string[]
  readonly warnings: string[]
  readonly follower: Follower
  /** Resolves when so many records were sent. */
  has(count: number): Promise<void>
  stop(): Promise<FollowResult>
  readonly result: Promise<FollowResult>
}

interface Place {
  readonly directory?: ModelDirectory
  /** The sink is full for good after so many records. */
  readonly capacity?: number
}

async function run(
  settings: Partial<FlowSettings> = {},
  options: Partial<FollowOptions> = {},
  { directory = new ModelDirectory(), capacity = Number.POSITIVE_INFINITY }: Place = {}
): Promise<Running> {
  const sent: string[] = []
  const warnings: string[] = []
  let waiting: { readonly count: number; readonly done: () => void } | undefined
  const sink: FlowSink = {
    tryPut({ data, owner, ticket }) {
      if (sent.length >= capacity) return false
      sent.push(Buffer.from(data).toString())
      owner.settle(ticket, { kind: 'delivered' })
      if (waiting !== undefined && sent.length >= waiting.count) waiting.done()
      return true
    },
    ready: () => (sent.length >= capacity ? new Promise(() => {}) : Promise.resolve()),
    flush: () => Promise.resolve()
  }
  const flow = {
    ...DEFAULT_FLOW,
    id: 'f',
    files: [join(folder, '*')],
    from: 'start',
    pollMs: 20,
    rescanMs: 40
  } as const
  const store = await StateStore.open(directory)
  const wallMs = () => systemClock.nowMs()
  const follower = new Follower(
    [{ settings: { ...flow, ...settings }, sink }],
    {
      files: realFiles,
      store,
      clock: systemClock,
      wallMs,
      random: systemRandom,
      warn: (code, message) => void warnings.push(`${code} ${message}`)
    },
    { once: false, drainMs: 1_000, ...options }
  )
  const stop = new AbortController()
  const result = follower.run(stop.signal)
  return {
    sent,
    warnings,
    follower,
    result,
    has: count => (sent.length >= count ? Promise.resolve() : new Promise(done => (waiting = { count, done }))),
    stop: () => {
      stop.abort()
      return result
    }
  }
}

test(`T27: ${FILES} files with one line each: all are sent, grow and are sent again, with few descriptors`, async () => {
  const paths = Array.from({ length: FILES }, (_, i) => join(folder, `${i}.log`))
  for (const [i, path] of paths.entries()) writeFileSync(path, `first ${i}\n`)
  const maxDescriptors = FILES / 10
  const running = await run({}, { maxDescriptors })
  await running.has(FILES)
  for (const [i, path] of paths.entries()) appendFileSync(path, `second ${i}\n`)
  await running.has(FILES * 2)
  const { openDescriptors } = running.follower.status()
  await running.stop()

  const all = ['first', 'second'].flatMap(word => paths.map((_, i) => `${word} ${i}`))
  expect(running.sent.toSorted()).toEqual(all.toSorted())
  expect(openDescriptors).toBeLessThanOrEqual(maxDescriptors)
})

test('rename and create, copy and truncate, and deletion of real files', async () => {
  const log = join(folder, 'app.log')
  writeFileSync(log, 'a:0\n')
  const running = await run()
  await running.has(1)
  appendFileSync(log, 'a:1\n')
  renameSync(log, `${log}.1`)
  writeFileSync(log, 'b:0\n')
  await running.has(3)
  appendFileSync(log, 'b:1\n')
  copyFileSync(log, `${log}.copy`)
  truncateSync(log)
  appendFileSync(log, 'c:0\n')
  await running.has(5)
  appendFileSync(log, 'c:1\n')
  unlinkSync(log)
  await running.has(6)
  await running.stop()

  expect(running.sent.toSorted()).toEqual(['a:0', 'a:1', 'b:0', 'b:1', 'c:0', 'c:1'])
})

test('T30, T31, T32: links, loops, a FIFO and odd names', async () => {
  const deep = join(folder, 'sub')
  mkdirSync(deep)
  writeFileSync(join(folder, 'a.log'), 'a\n')
  symlinkSync('a.log', join(folder, 'soft.log'))
  linkSync(join(folder, 'a.log'), join(folder, 'hard.log'))
  symlinkSync('..', join(deep, 'loop'))
  execFileSync('mkfifo', [join(folder, 'pipe.log')])
  writeFileSync(join(deep, 'line\nbreak.log'), 'newline\n')
  writeFileSync(join(deep, '-dash.log'), 'dash\n')
  writeFileSync(join(deep, `${'n'.repeat(251)}.log`), 'long\n')
  writeFileSync(Buffer.from(`${deep}/\xff.log`, 'latin1'), 'bytes\n')
  const files = [join(folder, '**/*.log'), join(folder, 'pipe.log')]

  const running = await run({ files }, { once: true })
  const { reason } = await running.result

  expect([reason, running.sent.toSorted()]).toEqual(['finished', ['a', 'dash', 'long', 'newline']])
})

describe('T62: compressed files', () => {
  const lines = Array.from({ length: 40_000 }, (_, i) => `line ${i} of a file that is compressed\n`)
  /** As a program that ended a minute ago leaves it. */
  const writeOld = (path: string, bytes: Uint8Array, ageSeconds = 60) => {
    writeFileSync(path, bytes)
    const atSeconds = systemClock.nowMs() / 1_000 - ageSeconds
    utimesSync(path, atSeconds, atSeconds)
  }
  const all = lines.map(line => line.trimEnd())

  test('are passed over with a warning', async () => {
    writeOld(join(folder, 'app.log.1.gz'), gzipSync(lines.join('')))
    writeFileSync(join(folder, 'app.log'), 'a\n')

    const running = await run({}, { once: true })
    await running.result

    expect([running.sent, running.warnings.length]).toEqual([['a'], 1])
  })

  test('are read whole, and go on after a restart in the middle', async () => {
    writeOld(join(folder, 'app.log.1.gz'), gzipSync(lines.join('')))
    const directory = new ModelDirectory()
    const first = await run({ compressed: 'read' }, {}, { directory, capacity: 30_000 })
    await first.has(30_000)
    await first.stop()

    const second = await run({ compressed: 'read' }, { once: true }, { directory })
    await second.result

    expect([...first.sent, ...second.sent]).toEqual(all)
  })

  test('are waited for with once when they were written a moment ago', async () => {
    writeOld(join(folder, 'app.log.1.gz'), gzipSync(lines.join('')), 4)

    const running = await run({ compressed: 'read' }, { once: true })
    const { reason } = await running.result

    expect([reason, running.sent]).toEqual(['finished', all])
  })

  test('are the files that they were before they were compressed', async () => {
    const log = join(folder, 'app.log')
    writeFileSync(log, lines.slice(0, 30_000).join(''))
    const directory = new ModelDirectory()
    const first = await run({ compressed: 'read' }, { once: true }, { directory })
    await first.result
    rmSync(log)
    writeOld(`${log}.1.gz`, gzipSync(lines.join('')))

    const second = await run({ compressed: 'read' }, { once: true }, { directory })
    await second.result

    expect([...first.sent, ...second.sent]).toEqual(all)
  })

  test('give what is before a cut, which is told once', async () => {
    writeOld(join(folder, 'app.log.1.gz'), gzipSync(lines.join('')).subarray(0, 60_000))

    const running = await run({ compressed: 'read' }, { once: true })
    await running.result

    const whole = running.sent.slice(0, -1)
    expect(whole).toEqual(all.slice(0, whole.length))
    expect([whole.length > 1_000, running.warnings.length]).toEqual([true, 1])
  })
})
