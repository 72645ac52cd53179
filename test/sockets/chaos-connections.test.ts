/** Connections that are not made, not kept, or cut: what was certainly not stored is told from what may be. */
import { describe, expect, test, vi } from 'vitest'
import { NameService } from './name-service.ts'
import { again, CLEAN, failed, openWorld, SOME, testEach } from './scenario.ts'
import {
  BLACK_HOLE,
  END_AT_FIRST_BYTES,
  RESET_AT_FIRST_BYTES,
  RESET_AT_ONCE,
  resetAfterRequestBytes,
  resetInsteadOfAnswer,
  STRANGER,
  silence
} from './toxics.ts'
import type { World, WorldOptions } from './world.ts'

/** Everything that is put goes in one request. */
const LARGE: WorldOptions = {
  collectionMaxShardBytes: 5_242_880,
  rateLimitPercent: 1_000_000,
  recordMaxBufferedTimeMs: 60_000
}

describe('a reset', () => {
  testEach([
    {
      name: 'before any byte was read: the records are sent again, and there is no second copy',
      connections: [RESET_AT_ONCE],
      expected: { histories: ['ECONNRESET, stored'] }
    },
    {
      name: 'at the first bytes of the request',
      connections: [RESET_AT_FIRST_BYTES],
      expected: { histories: ['ECONNRESET, stored'] }
    },
    {
      name: 'in the middle of the request',
      toxics: [resetAfterRequestBytes(700)],
      expected: again('ECONNRESET')
    },
    {
      name: 'in the middle of a large request',
      options: LARGE,
      sizeBytes: 200_000,
      toxics: [resetAfterRequestBytes(500_000)],
      expected: { histories: ['ECONNRESET, stored'], requests: SOME }
    },
    {
      name: 'behind the whole request, which was not applied',
      toxics: [resetInsteadOfAnswer('lost')],
      expected: again('ECONNRESET')
    },
    {
      name: 'behind the whole request, which was applied: the attempts explain the second copy',
      toxics: [resetInsteadOfAnswer('applied')],
      expected: again('ECONNRESET', 2)
    },
    {
      name: 'three times in a row, applied each time: the attempts explain four copies',
      toxics: Array(3).fill(resetInsteadOfAnswer('applied')),
      expected: { histories: ['ECONNRESET, stored'], copies: [4], requests: 4 }
    },
    {
      name: 'for ever: the records fail and may be stored',
      options: { recordTtlMs: 300 },
      forever: resetInsteadOfAnswer('applied'),
      expected: failed('KPL_ERR_EXPIRED maybe', 'ECONNRESET', [SOME])
    },
    {
      name: 'of two shards at once: each lane goes again by itself',
      options: { shardCount: 2 },
      toxics: [resetInsteadOfAnswer('applied')],
      expected: { ...again('ECONNRESET', 2), requests: SOME }
    }
  ])
})

describe('an end', () => {
  testEach([
    {
      name: 'at the first bytes of the request',
      connections: [END_AT_FIRST_BYTES],
      expected: { histories: ['ECONNRESET, stored'] }
    },
    {
      name: 'of an answer in a language that is not HTTP',
      options: { requestTimeoutMs: 400 },
      connections: [STRANGER],
      expected: { histories: ['HPE_INVALID_CONSTANT, stored'] }
    }
  ])
})

describe('a connection that is kept', () => {
  test('and ended by the server between two requests is not used again', async () => {
    const world = await openWorld()
    await world.warm()
    world.spoil([])
    const before = world.proxy.connectionCount
    await world.proxy.endIdle()
    world.put(8)
    await world.producer.flush()

    const outcome = await world.outcome()

    expect([outcome, world.proxy.connectionCount - before]).toEqual([CLEAN, 1])
  })

  test('and reset just when the next request comes costs one attempt', async () => {
    const world = await openWorld()
    await world.warm()
    world.spoil([undefined, resetAfterRequestBytes(1)])
    const before = world.proxy.connectionCount
    world.put(8)
    await world.producer.flush()
    world.put(8)
    await world.producer.flush()

    const outcome = await world.outcome()

    expect([outcome, world.proxy.connectionCount - before]).toEqual([
      { ...CLEAN, acknowledged: 16, histories: ['stored', 'ECONNRESET, stored'], requests: 3 },
      1
    ])
  })
})

describe('a server that is not there', () => {
  test('for a while: nothing is lost and nothing stored twice', async () => {
    const world = await openWorld()
    await world.warm()
    world.spoil([])
    await world.proxy.endIdle()
    await world.proxy.close()
    world.put(8)
    const flushed = world.producer.flush()
    await vi.waitFor(() => expect(world.errorCount('ECONNREFUSED')).toBeGreaterThan(0), { interval: 5 })
    await world.proxy.start()
    await flushed

    const outcome = await world.outcome()

    expect(outcome).toEqual({ ...CLEAN, histories: ['ECONNREFUSED, stored'] })
  })

  test('for ever: the records fail and are certainly not stored', async () => {
    const world = await openWorld({ recordTtlMs: 300 })
    await world.warm()
    world.spoil([])
    await world.proxy.endIdle()
    await world.proxy.close()
    world.put(8)
    await world.producer.flush()

    const outcome = await world.outcome()

    expect(outcome).toEqual({ ...CLEAN, ...failed('KPL_ERR_EXPIRED no', 'ECONNREFUSED'), requests: 0 })
  })

  test('because it was started again on its port, with a request in it that was applied', async () => {
    const world = await openWorld()
    await world.warm()
    world.spoil([silence('applied')])
    const seenBefore = world.proxy.requests.length
    world.put(8)
    const flushed = world.producer.flush()
    await world.proxy.sawRequests(seenBefore + 1)
    await vi.waitFor(() => expect(world.storedCount).toBe(9), { interval: 5 })
    await world.proxy.close()
    await world.proxy.start()
    await flushed

    const outcome = await world.outcome()

    expect(outcome).toEqual({ ...CLEAN, ...again('ECONNRESET', 2) })
  })

  test('and closing meanwhile ends at the deadline with what is certain', async () => {
    const world = await openWorld()
    await world.warm()
    world.spoil([])
    await world.proxy.endIdle()
    await world.proxy.close()
    world.put(8)
    await world.close(200)

    const outcome = await world.outcome()

    expect(outcome).toEqual({ ...CLEAN, ...failed('KPL_ERR_CLOSE_TIMEOUT no', 'ECONNREFUSED'), requests: 0 })
  })
})

describe('a name', () => {
  async function openNamed(options: WorldOptions = {}): Promise<{ world: World; names: NameService }> {
    const names = new NameService()
    const world = await openWorld({ lookup: names.lookup, host: 'kinesis.localhost', ...options })
    await world.warm()
    world.spoil([])
    await world.proxy.endIdle()
    return { world, names }
  }

  test('that is not found for a while is asked for again', async () => {
    const { world, names } = await openNamed()
    names.failures = ['ENOTFOUND', 'EAI_AGAIN', '']
    world.put(8)
    await world.producer.flush()

    const outcome = await world.outcome()

    expect(outcome).toEqual({ ...CLEAN, histories: ['ENOTFOUND, EAI_AGAIN, stored'] })
  })

  test('that is not found any more: the records fail and are certainly not stored', async () => {
    const { world, names } = await openNamed({ recordTtlMs: 300 })
    names.failures = ['ENOTFOUND']
    world.put(8)
    await world.producer.flush()

    const outcome = await world.outcome()

    expect(outcome).toEqual({ ...CLEAN, ...failed('KPL_ERR_EXPIRED no', 'ENOTFOUND'), requests: 0 })
  })

  test('that never resolves is given up after connectTimeoutMs, with nothing stored', async () => {
    const { world, names } = await openNamed({ connectTimeoutMs: 100, recordTtlMs: 400 })
    names.isHanging = true
    world.put(8)
    await world.producer.flush()

    const outcome = await world.outcome()

    expect(outcome).toEqual({ ...CLEAN, ...failed('KPL_ERR_EXPIRED no', 'TimeoutError'), requests: 0 })
  })
})

describe('a black hole', () => {
  testEach([
    {
      name: 'that takes a connection and says nothing costs a timeout, and the next connection delivers',
      options: { requestTimeoutMs: 400 },
      connections: [BLACK_HOLE],
      expected: { histories: ['TimeoutError, stored'] }
    },
    {
      name: 'does not hold up close beyond its deadline',
      everyConnection: BLACK_HOLE,
      closeMs: 200,
      expected: failed('KPL_ERR_CLOSE_TIMEOUT maybe', 'Unanswered')
    },
    {
      name: 'from the first moment on does not hold up close either, and nothing is stored',
      isCold: true,
      everyConnection: BLACK_HOLE,
      closeMs: 200,
      expected: failed('KPL_ERR_CLOSE_TIMEOUT no', '')
    }
  ])
})
