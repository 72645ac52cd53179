/**
 * All faults at random, some of them at a time: every record is accounted for, whatever comes together.
 * `SEED=7` runs one seed, `SEEDS=100` many. Sockets have their own mind, so that a seed is no exact replay.
 */
import { expect, test } from 'vitest'
import { type SeededRandom, seededRandom } from '../../src/testing/index.ts'
import type { ConnectionToxic, Toxic } from './chaos-proxy.ts'
import { httpAnswer } from './http-framing.ts'
import { CLEAN, openWorld } from './scenario.ts'
import {
  answerWith,
  drip,
  END_AT_FIRST_BYTES,
  endAfterHead,
  endless,
  latency,
  RESET_AT_FIRST_BYTES,
  RESET_AT_ONCE,
  resetAfterAnswerBytes,
  resetAfterRequestBytes,
  resetInsteadOfAnswer,
  silence,
  slowUpload,
  truncate,
  twice,
  wrongLength
} from './toxics.ts'

const TOXICS: readonly Toxic[] = [
  latency(30),
  drip(40, 2),
  slowUpload(200_000),
  silence('applied'),
  silence('lost'),
  resetAfterRequestBytes(900),
  resetAfterAnswerBytes(60),
  resetInsteadOfAnswer('applied'),
  resetInsteadOfAnswer('lost'),
  truncate(15),
  endAfterHead(),
  wrongLength(-5),
  twice(),
  endless('lost', '200 OK'),
  answerWith('applied', httpAnswer('200 OK', '<html></html>')),
  answerWith('lost', httpAnswer('407 Proxy Authentication Required', '')),
  answerWith('applied', httpAnswer('503 Service Unavailable', ''), 'end')
]
const CONNECTION_TOXICS: readonly ConnectionToxic[] = [RESET_AT_ONCE, RESET_AT_FIRST_BYTES, END_AT_FIRST_BYTES]
const ROUNDS = 30
const env = process.env
const seeds = env['SEED'] === undefined ? range(Number(env['SEEDS'] ?? 3)) : [Number(env['SEED'])]

test.each(seeds)('every record is accounted for (SEED=%i)', async seed => {
  const random = seededRandom(seed)
  const world = await openWorld({ shardCount: 3, requestTimeoutMs: 300, connectTimeoutMs: 200, maxInFlightRequests: 4 })
  await world.warm()
  const known = TOXICS.filter(() => random() < 0.6)
  world.proxy.toxicFor = operation => (operation === 'PutRecords' && random() < 0.3 ? pick(known, random) : undefined)
  world.proxy.connectionToxicFor = () => (random() < 0.1 ? pick(CONNECTION_TOXICS, random) : undefined)
  for (let round = 0; round < ROUNDS; round++) {
    world.put(1 + Math.floor(random() * 20), 20 + Math.floor(random() * random() * 5_000))
    const flushed = world.producer.flush()
    if (random() < 0.5) await flushed
    if (random() < 0.05) await world.proxy.endIdle()
  }
  await world.producer.flush()

  const { failures, violations, buffered, closed, connections } = await world.outcome()

  const { failures: none, violations: unbroken, buffered: empty } = CLEAN
  expect({ failures, violations, buffered, closed, connections }).toEqual({
    failures: none,
    violations: unbroken,
    buffered: empty,
    closed: 'in time',
    connections: 0
  })
})

function pick<Item>(items: readonly Item[], random: SeededRandom): Item | undefined {
  return items[Math.floor(random() * items.length)]
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i + 1)
}
