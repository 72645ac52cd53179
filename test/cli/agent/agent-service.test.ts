/** `agent` while the service takes nothing, on a virtual clock: real files, a Kinesis in memory. */
import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { runCli } from '../../../src/cli/run-cli.ts'
import { deaggregateAll } from '../../../src/consumer/deaggregate.ts'
import { FakeKinesis, FaultPlan, InMemoryTransport, readAsKcl, VirtualClock } from '../../../src/testing/index.ts'
import { testHost } from '../test-host.ts'

const KEYS = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
const LINES = 60
let folder = ''
let log = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cli-agent-service-'))
  log = join(folder, 'app.log')
  const flow = { stream: 's', files: [log], from: 'start' }
  writeFileSync(join(folder, 'agent.jsonc'), JSON.stringify({ state: join(folder, 'state'), flows: [flow] }))
})
afterEach(() => rmSync(folder, { recursive: true }))

function setUp() {
  const clock = new VirtualClock()
  const kinesis = new FakeKinesis({ nowMs: () => clock.nowMs() })
  kinesis.createStream({ StreamName: 's', ShardCount: 1 })
  const faults = new FaultPlan()
  const start = (...flags: string[]) => {
    const transport = new InMemoryTransport({ kinesis, clock, faults })
    const host = testHost({ clock, producerPorts: { clock, transport } })
    const run: { exit: number | undefined } = { exit: undefined }
    const argv = ['agent', '--config', join(folder, 'agent.jsonc'), '--region', 'us-east-1', ...flags]
    void runCli(argv, host.host).then(code => {
      run.exit = code
    })
    return { host, run }
  }
  const stored = () => {
    const records = kinesis.storedRecords('s').map(({ data, partitionKey = '', sequenceNumber }) => ({
      Data: data,
      PartitionKey: partitionKey,
      SequenceNumber: sequenceNumber
    }))
    return [...deaggregateAll(records)].map(({ data }) => Buffer.from(data).toString()).sort()
  }
  /** Lets the clock run, and real files be read, until something is so. */
  const turning = async (isSo: () => boolean, stepMs = 50) => {
    while (!isSo()) {
      clock.advanceBy(stepMs)
      await new Promise(resolve => setTimeout(resolve, 1))
    }
  }
  return { clock, kinesis, faults, start, stored, turning }
}

test('66: a stream that is deleted ends it with 3, and what was not acknowledged comes after the next start', async () => {
  const { kinesis, start, stored, turning } = setUp()
  writeFileSync(log, 'a\n')
  const first = start()
  await turning(() => kinesis.storedRecords('s').length > 0)

  kinesis.deleteStream({ StreamName: 's' })
  appendFileSync(log, 'b\n')
  await turning(() => first.run.exit !== undefined)
  kinesis.createStream({ StreamName: 's', ShardCount: 1 })
  const second = start('--once')
  await turning(() => second.run.exit !== undefined)

  expect([first.run.exit, first.host.stderr().includes('ResourceNotFoundException'), second.run.exit]).toEqual([
    3,
    true,
    0
  ])
  expect(stored()).toEqual(['b'])
})

test('67: credentials that expire for 20 s cost nothing: the records wait, and the agent goes on', async () => {
  const { clock, kinesis, faults, start, stored, turning } = setUp()
  writeFileSync(log, 'a\n')
  const agent = start()
  await turning(() => kinesis.storedRecords('s').length > 0)

  faults.add({
    match: { operation: 'PutRecords' },
    action: { kind: 'failRequest', errorCode: 'ExpiredTokenException' }
  })
  appendFileSync(log, 'b\nc\n')
  const untilMs = clock.nowMs() + 20_000
  await turning(() => clock.nowMs() >= untilMs)
  faults.clear()
  await turning(() => stored().length === 3)
  agent.host.signal('SIGTERM')
  await turning(() => agent.run.exit !== undefined)

  expect([agent.run.exit, stored()]).toEqual([0, ['a', 'b', 'c']])
})

test('67: credentials that stay expired end it with 3, and nothing is lost when they are renewed before the next start', async () => {
  const { kinesis, faults, start, stored, turning } = setUp()
  writeFileSync(log, 'a\n')
  const first = start()
  await turning(() => kinesis.storedRecords('s').length > 0)
  faults.add({
    match: { operation: 'PutRecords' },
    action: { kind: 'failRequest', errorCode: 'ExpiredTokenException' }
  })
  appendFileSync(log, 'b\nc\n')
  await turning(() => first.run.exit !== undefined)

  faults.clear()
  const second = start('--once')
  await turning(() => second.run.exit !== undefined)

  expect([first.run.exit, second.run.exit, stored()]).toEqual([3, 0, ['a', 'b', 'c']])
})

test('50: a service that is away for ten minutes stops the reading and nothing else', async () => {
  const { clock, faults, start, stored, turning } = setUp()
  writeFileSync(log, 'a\n')
  faults.add({ match: { operation: 'PutRecords' }, action: { kind: 'reset' } })
  const agent = start()
  await turning(() => clock.nowMs() > 600_000, 1000)

  faults.clear()
  await turning(() => stored().length > 0)
  agent.host.signal('SIGTERM')
  await turning(() => agent.run.exit !== undefined)

  expect([agent.run.exit, new Set(stored())]).toEqual([0, new Set(['a'])])
})

test('68: the records of a key stay in order while the file rotates and its shard splits', async () => {
  const { kinesis, start, turning } = setUp()
  const flow = { stream: 's', files: [join(folder, 'app.log*')], from: 'start', key: { json: '.k' } }
  const config = { state: join(folder, 'state'), producer: { ordering: 'key' }, flows: [flow] }
  writeFileSync(join(folder, 'agent.jsonc'), JSON.stringify(config))
  const numbersOf = (key: string) =>
    readAsKcl(kinesis, 's')
      .filter(({ partitionKey }) => partitionKey === key)
      .map(({ data }) => Number(JSON.parse(Buffer.from(data).toString()).n))
  const arrived = () => KEYS.reduce((sum, key) => sum + new Set(numbersOf(key)).size, 0)
  const agent = start()
  for (let n = 0; n < LINES; n++) {
    appendFileSync(log, KEYS.map(k => `${JSON.stringify({ k, n })}\n`).join(''))
    if (n === LINES / 3) renameSync(log, `${log}.1`)
    if (n === LINES / 2) {
      const NewStartingHashKey = `${1n << 127n}`
      kinesis.splitShard({ StreamName: 's', ShardToSplit: 'shardId-000000000000', NewStartingHashKey })
    }
    if (n % 10 === 0) await turning(() => arrived() > (n - 10) * KEYS.length)
  }
  await turning(() => arrived() >= LINES * KEYS.length)
  agent.host.signal('SIGTERM')
  await turning(() => agent.run.exit !== undefined)

  const shardCount = new Set(readAsKcl(kinesis, 's').map(({ stored }) => stored.shardId)).size
  const firsts = KEYS.map(key => [...new Set(numbersOf(key))])
  expect([agent.run.exit, shardCount]).toEqual([0, 3])
  expect(firsts).toEqual(KEYS.map(() => Array.from({ length: LINES }, (_, n) => n)))
})

test('an outage is told once when it begins and once when it is over', async () => {
  const { clock, faults, start, stored, turning } = setUp()
  writeFileSync(log, 'a\n')
  faults.add({ match: { operation: 'PutRecords' }, action: { kind: 'reset' } })
  const agent = start()
  await turning(() => clock.nowMs() > 600_000, 1000)
  const whileAway = agent.host.stderr()

  faults.clear()
  await turning(() => stored().length > 0)
  agent.host.signal('SIGTERM')
  await turning(() => agent.run.exit !== undefined)

  const afterwards = agent.host.stderr().slice(whileAway.length)
  expect(whileAway.match(/warning .*/g)?.filter(line => line.includes('BREAKER'))).toEqual([
    'warning KPL_WARN_BREAKER_OPEN: stream s: Kinesis takes nothing now, and is tried again: ECONNRESET: the connection was reset'
  ])
  expect(afterwards).toMatch(/stream s: Kinesis answers again, after [\d,]+ ms/)
})
