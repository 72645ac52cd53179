import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ShardDirectory } from '../../src/core/shard-directory.ts'
import type { ShardHashRange } from '../../src/model/ports.ts'
import { MAX_HASH_KEY } from '../../src/wire/hash-key.ts'

const HALF = 1n << 127n
const TEN_MINUTES_MS = 600_000
const ONE = [listed(0, 0n, MAX_HASH_KEY)]
const SPLIT = [listed(1, 0n, HALF - 1n), listed(2, HALF, MAX_HASH_KEY)]
const MERGED = [listed(3, 0n, MAX_HASH_KEY)]
const BROKEN = [listed(1, 0n, HALF)]
const noJitter = () => 0

describe('fetches', () => {
  test('the first is due at once, and there is one at a time', () => {
    const directory = new ShardDirectory(noJitter)

    const started = [directory.startIfDue(0), directory.startIfDue(0), directory.startIfDue(1e9)]

    expect(started).toEqual([true, false, false])
    expect([directory.map, directory.loadedMs, directory.isRefreshing, directory.nextDeadlineMs]).toEqual([
      undefined,
      -Infinity,
      true,
      Infinity
    ])
  })

  test('none is due after a good listing until something contradicts it', () => {
    const directory = loadedAt(50)

    expect([directory.startIfDue(1e12), directory.isRefreshing, directory.nextDeadlineMs, directory.loadedMs]).toEqual([
      false,
      false,
      Infinity,
      50
    ])
  })

  test('that failed go on at once when what kept them from coming is over, but not within a second of the last', () => {
    const directory = new ShardDirectory(noJitter)
    for (let i = 0; i < 5; i++) {
      directory.startIfDue(directory.nextDeadlineMs)
      directory.failed(i * 10_000)
    }
    const waitingMs = directory.nextDeadlineMs

    directory.retryNow(41_000)
    const dueMs = directory.nextDeadlineMs
    directory.startIfDue(dueMs)
    directory.retryNow(41_500)
    directory.failed(41_600)

    expect([waitingMs, dueMs, directory.nextDeadlineMs]).toEqual([45_062.5, 41_000, 42_600])
  })

  test('two start at least a second apart and never at the same time, whatever happens', () => {
    const step = fc.record({
      kind: fc.constantFrom('contradicted', 'known', 'forget', 'good', 'bad', 'failed', 'start', 'start'),
      waitMs: fc.integer({ min: 0, max: 1500 })
    })
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 80 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (steps, jitter) => {
          const directory = new ShardDirectory(() => jitter)
          const startsMs: number[] = []
          let isOut = false
          let nowMs = 0
          for (const { kind, waitMs } of steps) {
            nowMs += waitMs
            if (kind === 'contradicted') directory.contradicted(idOf(9), nowMs, nowMs)
            else if (kind === 'known') directory.contradicted(idOf(1), nowMs, nowMs)
            else if (kind === 'forget') directory.forget(nowMs)
            else if (kind === 'start') {
              const isStarted = directory.startIfDue(nowMs)
              expect(isStarted && isOut).toBe(false)
              if (isStarted) startsMs.push(nowMs)
              isOut ||= isStarted
            } else if (isOut) {
              isOut = false
              if (kind === 'good') directory.loaded(SPLIT, nowMs)
              else if (kind === 'failed') directory.failed(nowMs)
              else expect(directory.loaded(BROKEN, nowMs)?.message).toContain('ends before 2^128 - 1')
            }
          }

          const gapsMs = startsMs.slice(1).map((atMs, i) => atMs - startsMs[i]!)

          expect(gapsMs.filter(gapMs => gapMs < 1000)).toEqual([])
        }
      ),
      { numRuns: 500 }
    )
  })

  test('after failures they wait half as long again each time, up to 30 seconds, and a success ends that', () => {
    const directory = new ShardDirectory(noJitter)
    const waitsMs: number[] = []

    for (let i = 0, nowMs = 0; i < 12; i++) {
      expect(directory.startIfDue(nowMs)).toBe(true)
      directory.failed(nowMs)
      waitsMs.push(directory.nextDeadlineMs - nowMs)
      nowMs = directory.nextDeadlineMs
    }
    const nowMs = directory.nextDeadlineMs
    directory.startIfDue(nowMs)
    directory.loaded(ONE, nowMs)
    directory.contradicted(idOf(9), nowMs, nowMs)
    directory.startIfDue(nowMs + 1000)
    directory.failed(nowMs + 1000)

    expect(waitsMs).toEqual([
      1000, 1500, 2250, 3375, 5062.5, 7593.75, 11_390.625, 17_085.9375, 25_628.90625, 30_000, 30_000, 30_000
    ])
    expect(directory.nextDeadlineMs).toBe(nowMs + 2000)
  })

  test('they are spread by up to a quarter of a second', () => {
    const directory = new ShardDirectory(() => 0.5)
    directory.startIfDue(0)

    directory.failed(0)

    expect(directory.nextDeadlineMs).toBe(1125)
  })
})

describe('the last good map', () => {
  test('is kept when a fetch fails', () => {
    const directory = loadedAt(0)
    const { map } = directory
    directory.contradicted(idOf(9), 1000, 1000)
    directory.startIfDue(1000)

    directory.failed(1000)

    expect(directory.map).toBe(map)
    expect(directory.loadedMs).toBe(0)
  })

  test('is kept when a listing is not believed, and the next fetch is planned', () => {
    const directory = loadedAt(0)
    const { map } = directory
    directory.contradicted(idOf(9), 1000, 1000)
    directory.startIfDue(1000)

    const refusal = directory.loaded(BROKEN, 1000)

    expect(refusal?.code).toBe('KPL_ERR_BAD_SHARD_MAP')
    expect([directory.map === map, directory.loadedMs, directory.nextDeadlineMs]).toEqual([true, 0, 2000])
  })

  test('is forgotten with all closed ranges when the stream is gone', () => {
    const directory = loadedAt(0)
    reload(directory, SPLIT, 1000)

    directory.forget(5000)

    expect([directory.map, directory.rangeOf(idOf(0)), directory.rangeOf(idOf(1))]).toEqual([
      undefined,
      undefined,
      undefined
    ])
    expect(directory.nextDeadlineMs).toBe(5000)
  })
})

describe('evidence', () => {
  test('of an unknown shard asks for a fetch at once when the last is over a second ago', () => {
    const directory = loadedAt(0)

    directory.contradicted(idOf(1), 10, 5000)

    expect([directory.isRefreshing, directory.nextDeadlineMs]).toEqual([true, 5000])
  })

  test('within a second of the last fetch waits for that second', () => {
    const directory = loadedAt(0)

    directory.contradicted(idOf(1), 10, 300)

    expect([directory.startIfDue(999), directory.nextDeadlineMs]).toEqual([false, 1000])
  })

  test('of a known shard counts only when the request began after the map was loaded', () => {
    const directory = loadedAt(100)

    directory.contradicted(idOf(0), 100, 5000)
    const afterOld = directory.isRefreshing
    directory.contradicted(idOf(0), 101, 5000)

    expect([afterOld, directory.isRefreshing]).toEqual([false, true])
  })

  test('of a shard that the next listing has is settled by it', () => {
    const directory = loadedAt(0)
    directory.contradicted(idOf(1), 10, 1000)
    directory.startIfDue(1000)

    directory.loaded(SPLIT, 1100)

    expect(directory.isRefreshing).toBe(false)
  })

  test('of a shard older than the newest listed is settled: it has closed', () => {
    const directory = loadedAt(0)
    directory.contradicted(idOf(2), 10, 1000)
    directory.startIfDue(1000)

    directory.loaded(MERGED, 1100)

    expect(directory.isRefreshing).toBe(false)
  })

  test('of a shard that no listing has is believed for five listings', () => {
    const directory = loadedAt(0)
    directory.contradicted(idOf(9), 1000, 1000)
    let fetches = 0

    for (let nowMs = 1000; directory.isRefreshing && fetches < 100; nowMs += 1000) {
      if (!directory.startIfDue(nowMs)) continue
      fetches++
      directory.loaded(ONE, nowMs)
    }

    expect([fetches, directory.isRefreshing]).toEqual([5, false])
  })
})

describe('closed ranges', () => {
  test('are remembered for ten minutes after a listing without them', () => {
    const directory = loadedAt(0)
    reload(directory, SPLIT, 1000)
    const closed = directory.rangeOf(idOf(0))

    reload(directory, SPLIT, 1000 + TEN_MINUTES_MS - 1)
    const justBefore = directory.rangeOf(idOf(0))
    reload(directory, SPLIT, 1000 + TEN_MINUTES_MS + 1000)

    expect(closed).toEqual({ start: 0n, end: MAX_HASH_KEY, forgetMs: 1000 + TEN_MINUTES_MS })
    expect(justBefore).toEqual(closed)
    expect(directory.rangeOf(idOf(0))).toBeUndefined()
  })

  test('of several generations are known at the same time', () => {
    const directory = loadedAt(0)
    reload(directory, SPLIT, 1000)
    reload(directory, MERGED, 2000)

    const known = [0, 1, 2, 3, 4].map(number => directory.rangeOf(idOf(number))?.start)

    expect(known).toEqual([0n, 0n, HALF, 0n, undefined])
  })

  test('of a shard that is listed again give way to the listing', () => {
    const directory = loadedAt(0)
    reload(directory, SPLIT, 1000)
    reload(directory, ONE, 2000)

    expect(directory.rangeOf(idOf(0))).toEqual({ start: 0n, end: MAX_HASH_KEY })
  })
})

function loadedAt(nowMs: number): ShardDirectory {
  const directory = new ShardDirectory(noJitter)
  directory.startIfDue(0)
  directory.loaded(ONE, nowMs)
  return directory
}

function reload(directory: ShardDirectory, listing: readonly ShardHashRange[], nowMs: number): void {
  directory.contradicted(directory.map!.shardIds[0]!, nowMs, nowMs)
  expect(directory.startIfDue(nowMs)).toBe(true)
  directory.loaded(listing, nowMs)
}

function idOf(number: number): string {
  return `shardId-${String(number).padStart(12, '0')}`
}

function listed(number: number, start: bigint, end: bigint): ShardHashRange {
  return { shardId: idOf(number), startingHashKey: String(start), endingHashKey: String(end) }
}
