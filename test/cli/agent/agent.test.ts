/** `agent` with real files against the fake Kinesis over HTTP, in this process. */
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type FakeService, fakeService, summaryOf } from '../fake-service.ts'

let service: FakeService
let folder = ''
let streams = 0

beforeAll(async () => {
  service = await fakeService({})
})
afterAll(() => service.close())
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cli-agent-'))
  mkdirSync(join(folder, 'logs'))
})
afterEach(() => {
  service.faults.clear()
  rmSync(folder, { recursive: true })
})

/** A stream of its own for each test. */
function newStream(): string {
  const name = `agent-${streams++}`
  service.server.kinesis.createStream({ StreamName: name, ShardCount: 2 })
  return name
}

const at = (name: string) => join(folder, name)

function writeConfig(flows: readonly object[], more: object = {}): string {
  writeFileSync(at('agent.jsonc'), JSON.stringify({ state: at('state'), ...more, flows }))
  return at('agent.jsonc')
}

function stored(stream: string): string[] {
  return service
    .stored(stream)
    .map(line => line.slice(line.indexOf(': ') + 2))
    .sort()
}

/** Runs in the background until `stop`; `until` waits for what it does. */
function start(argv: readonly string[]) {
  const { test: host, ended } = service.start(argv)
  let isOver = false
  const over = ended.finally(() => {
    isOver = true
  })
  const until = async (isSo: () => boolean) => {
    while (!isSo()) {
      if (isOver) throw new Error(`it ended: ${host.stderr()}${host.stdout()}`)
      await new Promise(resolve => setTimeout(resolve, 5))
    }
  }
  const stop = () => {
    host.signal('SIGTERM')
    return over
  }
  return { host, ended: over, until, stop }
}

function numbered(name: string, from: number, to: number): string {
  return Array.from({ length: to - from + 1 }, (_, i) => `${name}:${from + i}\n`).join('')
}

function throttle(streamName: string): () => number {
  let met = 0
  const when = () => met++ >= 0
  service.faults.add({ match: { operation: 'PutRecords', streamName, when }, action: { kind: 'throttle' } })
  return () => met
}

describe('agent --once', () => {
  test('sends the files to their ends, remembers it, and sends only what is new the next time', async () => {
    const stream = newStream()
    const config = writeConfig([{ stream, files: [at('logs/*.log')], from: 'start' }])
    writeFileSync(at('logs/a.log'), 'a1\na2\n')
    writeFileSync(at('logs/b.log'), 'b1\nb2 without newline')

    const first = await service.run(['agent', '--config', config, '--once', '--json'])
    appendFileSync(at('logs/a.log'), 'a3\n')
    const second = await service.run(['agent', '--config', config, '--once', '--json'])

    expect([first.exit, second.exit, stored(stream)]).toEqual([0, 0, ['a1', 'a2', 'a3', 'b1', 'b2 without newline']])
    expect([summaryOf(first), summaryOf(second)]).toMatchObject([
      {
        type: 'summary',
        command: 'agent',
        records: 4,
        delivered: 4,
        failed: 0,
        unacknowledged: 0,
        exit: 0,
        errors: {}
      },
      { records: 1, delivered: 1 }
    ])
  })

  test('keeps one producer for flows with the same settings, and runs steps, keys and framing of each', async () => {
    const [one, two] = [newStream(), newStream()]
    writeFileSync(at('logs/a.log'), '{"id":"k1"}\n\n{"id":"k2"}\n')
    writeFileSync(at('logs/b.log'), 'head\nx y\n')
    const config = writeConfig([
      {
        stream: one,
        files: [at('logs/a.log')],
        from: 'start',
        key: { json: '.id' },
        process: [{ addFields: { f: 1 } }]
      },
      { stream: two, files: [at('logs/b.log')], from: 'start', key: { const: 'c' }, skipHeader: 1, keepNewline: true }
    ])

    const ended = await service.run(['agent', '--config', config, '--once', '--json'])

    expect([ended.exit, service.stored(one).sort(), service.stored(two)]).toEqual([
      0,
      ['k1: {"id":"k1","f":1}', 'k2: {"id":"k2","f":1}'],
      ['c: x y\n']
    ])
  })

  test("takes a Kinesis Agent's file as it is, and says what becomes of each key", async () => {
    const stream = newStream()
    writeFileSync(at('logs/a.log'), 'x\n')
    const flow = { filePattern: at('logs/a.log*'), kinesisStream: stream, initialPosition: 'START_OF_FILE' }
    writeFileSync(at('agent.json'), `{ "log.level": "INFO", /* c */ "flows": [${JSON.stringify(flow)}] }`)

    const ended = await service.run(['agent', '--config', at('agent.json'), '--once', '--state', at('state')])

    expect([ended.exit, stored(stream)]).toEqual([0, ['x\n']])
    expect(ended.stderr).toContain('no effect      log.level: messages go to stderr')
  })

  test('64: agent check tells files that were sent in full from others, also after rotation', async () => {
    const stream = newStream()
    const config = writeConfig([{ stream, files: [at('logs/*.log')], from: 'start' }])
    writeFileSync(at('logs/a.log'), 'a1\n')
    writeFileSync(at('logs/b.log'), 'b1\n')
    await service.run(['agent', '--config', config, '--once'])
    renameSync(at('logs/a.log'), at('logs/a.log.1'))
    appendFileSync(at('logs/b.log'), 'b2\n')
    writeFileSync(at('logs/c.log'), 'a1\n')

    const check = (...names: string[]) => service.run(['agent', 'check', '--config', config, ...names.map(at)])
    const [sent, unsent, unknown, missing] = [
      await check('logs/a.log.1'),
      await check('logs/a.log.1', 'logs/b.log'),
      await check('logs/c.log'),
      await check('logs/d.log')
    ]

    expect([sent.exit, unsent.exit, unknown.exit, missing.exit]).toEqual([0, 1, 1, 1])
    expect(unsent.stdout).toBe(
      `sent     ${at('logs/a.log.1')}  3 bytes\nunsent   ${at('logs/b.log')}  3 bytes are not acknowledged\n`
    )
  })

  test('agent check asks the flows of the config only, so that a former flow holds no file', async () => {
    const stream = newStream()
    const flow = { stream, files: [at('logs/*.log')], from: 'start' }
    writeFileSync(at('logs/a.log'), 'a1\n')
    await service.run(['agent', '--config', writeConfig([{ ...flow, id: 'former', key: { const: 'k' } }]), '--once'])
    appendFileSync(at('logs/a.log'), 'a2\n')
    const config = writeConfig([{ ...flow, id: 'now' }])
    await service.run(['agent', '--config', config, '--once'])

    const ofConfig = await service.run(['agent', 'check', '--config', config, at('logs/a.log')])
    const ofState = await service.run(['agent', 'check', '--state', at('state'), at('logs/a.log')])

    expect([ofConfig.exit, ofState.exit]).toEqual([0, 1])
  })

  test('agent status says how far each file is', async () => {
    const stream = newStream()
    const config = writeConfig([{ id: 'f', stream, files: [at('logs/*.log')], from: 'start' }])
    writeFileSync(at('logs/a.log'), 'a1\n')
    await service.run(['agent', '--config', config, '--once'])
    appendFileSync(at('logs/a.log'), 'a2 is new\n')

    const ended = await service.run(['agent', 'status', '--state', at('state'), '--json'])

    const [file, summary] = ended.stdout
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
    const path = at('logs/a.log')
    expect(file).toEqual({
      type: 'file',
      flow: 'f',
      path,
      acked: 3,
      size: 13,
      behind: 10,
      isGone: false,
      isUnreadable: false
    })
    expect(summary).toMatchObject({ files: 1, filesBehind: 1, bytesBehind: 10, exit: 0 })
  })

  test('agent status tells of the other files when one cannot be opened', async () => {
    const config = writeConfig([{ id: 'f', stream: newStream(), files: [at('logs/*.log')], from: 'start' }])
    for (const name of ['a', 'b']) writeFileSync(at(`logs/${name}.log`), `${name}\n`)
    await service.run(['agent', '--config', config, '--once'])
    rmSync(at('logs/a.log'))
    symlinkSync(at('logs/a.log'), at('logs/a.log'))

    const ended = await service.run(['agent', 'status', '--config', config])

    expect([ended.exit, ended.stdout]).toEqual([
      0,
      `f  ${at('logs/a.log')}  2 of 2 bytes acknowledged, 0 behind, cannot be read now\n` +
        `f  ${at('logs/b.log')}  2 of 2 bytes acknowledged, 0 behind\n`
    ])
  })

  test('37: says loudly that a flow starts for the first time, also when its state was deleted', async () => {
    const stream = newStream()
    const config = writeConfig([{ stream, files: [at('logs/*.log')], from: 'start' }])
    writeFileSync(at('logs/a.log'), 'a1\n')

    const first = await service.run(['agent', '--config', config, '--once'])
    const second = await service.run(['agent', '--config', config, '--once'])
    rmSync(at('state'), { recursive: true })
    const third = await service.run(['agent', '--config', config, '--once'])

    const line = `flow ${stream} starts for the first time in ${at('state')}: at the start of all files`
    expect([first, second, third].map(({ stderr }) => stderr.includes(line))).toEqual([true, false, true])
    expect(stored(stream)).toEqual(['a1', 'a1'])
  })

  test('a damaged state ends with 4 and names --reset, which begins anew and keeps the damaged files', async () => {
    const stream = newStream()
    const config = writeConfig([{ stream, files: [at('logs/*.log')], from: 'start' }])
    writeFileSync(at('logs/a.log'), 'a1\n')
    await service.run(['agent', '--config', config, '--once'])
    for (const name of ['snapshot.json', 'snapshot.prev.json']) writeFileSync(at(`state/${name}`), 'x')

    const status = await service.run(['agent', 'status', '--config', config])
    const damaged = await service.run(['agent', '--config', config, '--once'])
    const reset = await service.run(['agent', '--config', config, '--once', '--reset', 'end'])
    appendFileSync(at('logs/a.log'), 'a2\n')
    const after = await service.run(['agent', '--config', config, '--once'])

    expect([status.exit, status.stderr.includes('--reset start')]).toEqual([4, true])
    expect([damaged.exit, damaged.stderr.includes('--reset start'), reset.exit, after.exit]).toEqual([4, true, 0, 0])
    expect([stored(stream), readFileSync(at('state/before-reset-snapshot.json'), 'utf8')]).toEqual([['a1', 'a2'], 'x'])
  })
})

describe('a record that can never be sent', () => {
  const large = 'x'.repeat(2000)
  const flowOf = (stream: string, more: object) => ({
    stream,
    files: [at('logs/*.log')],
    from: 'start',
    producer: { maxUserRecordBytes: 1000 },
    ...more
  })

  test('stops a flow with retry and ends with 1, naming path and offset; what is before it is saved', async () => {
    const stream = newStream()
    const config = writeConfig([flowOf(stream, {})])
    writeFileSync(at('logs/a.log'), `a1\na2\n${large}\na3\n`)

    const first = await service.run(['agent', '--config', config, '--once'])
    const second = await service.run(['agent', '--config', config, '--once'])

    expect([first.exit, second.exit, stored(stream)]).toEqual([1, 1, ['a1', 'a2']])
    expect(first.stderr).toMatch(new RegExp(`error KPL_ERR_RECORD_TOO_LARGE: .*${at('logs/a.log')}.*6`))
    expect(first.stderr.includes(large)).toBe(false)
  })

  test.each(['retry', 'dead-letter'])(
    'goes to the dead letter file with %s, from which put sends it',
    async onFailure => {
      const stream = newStream()
      const config = writeConfig([flowOf(stream, { onFailure, deadLetter: at('dead.ndjson') })])
      writeFileSync(at('logs/a.log'), `a1\n${large}\na3\n`)

      const ended = await service.run(['agent', '--config', config, '--once', '--json'])
      const again = await service.run(['put', stream, '--in', 'records', at('dead.ndjson')])

      expect([ended.exit, again.exit, stored(stream)]).toEqual([0, 0, ['a1', 'a3', large]])
      expect(summaryOf(ended)).toMatchObject({ records: 3, delivered: 2, deadLettered: 1, failed: 0 })
      expect(JSON.parse(readFileSync(at('dead.ndjson'), 'utf8'))).toMatchObject({
        stream,
        error: { code: 'KPL_ERR_RECORD_TOO_LARGE', persisted: 'no' },
        source: { path: at('logs/a.log'), offset: 3 }
      })
    }
  )

  test('is skipped and counted with skip', async () => {
    const stream = newStream()
    const config = writeConfig([flowOf(stream, { onFailure: 'skip' })])
    writeFileSync(at('logs/a.log'), `a1\n${large}\na3\n`)

    const ended = await service.run(['agent', '--config', config, '--once', '--json'])

    expect([ended.exit, stored(stream)]).toEqual([0, ['a1', 'a3']])
    expect(summaryOf(ended)).toMatchObject({ records: 3, delivered: 2, skipped: 1 })
  })

  test('52: in the middle holds the saved place before it, whatever comes behind', async () => {
    const stream = newStream()
    const config = writeConfig([
      { stream, files: [at('logs/*.log')], from: 'start', onFailure: 'stop', key: { json: '.id' } }
    ])
    writeFileSync(at('logs/a.log'), '{"id":"1"}\n{"no":1}\n{"id":"3"}\n')

    const first = await service.run(['agent', '--config', config, '--once'])
    const status = await service.run(['agent', 'status', '--config', config, '--json'])

    expect([first.exit, first.stderr.includes('CLI_ERR_BAD_KEY')]).toEqual([1, true])
    expect(JSON.parse(status.stdout.split('\n')[0]!)).toMatchObject({ acked: 11 })
  })

  test('in a stream that is not there does not hide that', async () => {
    writeFileSync(at('logs/app.log'), '{"id":"a"}\nno\n')
    const config = writeConfig([flowOf('nowhere', { key: { json: '.id' } })])

    const ended = await service.run(['agent', '--config', config, '--once'])

    expect(ended.exit).toBe(3)
    expect(ended.stderr).toMatch(/error CLI_ERR_BAD_KEY: .*app\.log, offset 11\)\n {2}fix: give the flow a deadLetter/)
    expect(ended.stderr).toMatch(/error KPL_ERR_REJECTED: stream nowhere: Res.*\n {2}fix: run kinesis-producer doctor/)
  })

  test('and a dead letter file that cannot be opened ends with 4 before anything is sent', async () => {
    const stream = newStream()
    const config = writeConfig([flowOf(stream, { onFailure: 'dead-letter', deadLetter: '/nowhere/dead' })])
    writeFileSync(at('logs/a.log'), 'a1\n')

    const ended = await service.run(['agent', '--config', config, '--once'])

    expect([ended.exit, stored(stream)]).toEqual([4, []])
  })
})

describe('agent', () => {
  test('follows through appends, rename, copytruncate and a restart: every line once', async () => {
    const stream = newStream()
    const config = writeConfig([
      {
        stream,
        files: [at('logs/app.log*')],
        from: 'start',
        poll: '20ms',
        rescan: '30ms',
        rotateWait: '100ms',
        copyWait: '2s'
      }
    ])
    const log = at('logs/app.log')
    const all: string[] = []
    const add = (from: number, to: number) => {
      const text = numbered('n', from, to)
      all.push(...text.trim().split('\n'))
      appendFileSync(log, text)
    }
    add(1, 100)
    const first = start(['agent', '--config', config])
    await first.until(() => stored(stream).length === 100)
    add(101, 200)
    await first.until(() => stored(stream).length === 200)
    renameSync(log, `${log}.1`)
    appendFileSync(`${log}.1`, 'last of the old\n')
    all.push('last of the old')
    add(201, 300)
    await first.until(() => stored(stream).length === 301)
    copyFileSync(log, `${log}.copy`)
    truncateSync(log)
    add(301, 350)
    await first.until(() => stored(stream).length === 351)
    const one = await first.stop()
    add(351, 400)
    const second = start(['agent', '--config', config])
    await second.until(() => stored(stream).length === 401)
    const two = await second.stop()

    expect([one.exit, two.exit, stored(stream)]).toEqual([0, 0, all.sort()])
  })

  test('55: SIGTERM while a batch is in flight waits for the answers, saves, and ends with 0', async () => {
    const stream = newStream()
    const config = writeConfig([{ stream, files: [at('logs/*.log')], from: 'start' }])
    writeFileSync(at('logs/a.log'), 'a1\na2\n')
    let isMet = false
    const when = () => (isMet = true)
    service.faults.add({
      match: { operation: 'PutRecords', streamName: stream, when },
      action: { kind: 'delay', delayMs: 300 }
    })
    const agent = start(['agent', '--config', config])
    await agent.until(() => isMet)

    const ended = await agent.stop()
    const checked = await service.run(['agent', 'check', '--config', config, at('logs/a.log')])

    expect([ended.exit, checked.exit, stored(stream)]).toEqual([0, 0, ['a1', 'a2']])
  })

  test('55: ends with 143 when the drain deadline passes, and the next start sends again', async () => {
    const stream = newStream()
    const config = writeConfig([{ stream, files: [at('logs/*.log')], from: 'start' }])
    writeFileSync(at('logs/a.log'), 'a1\na2\n')
    const met = throttle(stream)
    const agent = start(['agent', '--config', config, '--drain', '100ms'])
    await agent.until(() => met() > 0)

    const cut = await agent.stop()
    service.faults.clear()
    const next = await service.run(['agent', '--config', config, '--once'])

    expect([cut.exit, next.exit, stored(stream)]).toEqual([143, 0, ['a1', 'a2']])
    expect(cut.stderr).toContain('2 records were not acknowledged within --drain; the next start sends them again')
  })

  test('56: a second SIGINT within the drain ends the process at once, and says what is open', async () => {
    const stream = newStream()
    const config = writeConfig([{ stream, files: [at('logs/*.log')], from: 'start' }])
    writeFileSync(at('logs/a.log'), 'a1\na2\n')
    const met = throttle(stream)
    const agent = start(['agent', '--config', config, '--drain', '300ms'])
    await agent.until(() => met() > 0)

    agent.host.signal('SIGINT')
    agent.host.signal('SIGINT')
    await agent.ended

    expect([agent.host.exits, agent.host.stderr().includes('stopped at once; 2 records are not acknowledged')]).toEqual(
      [[130], true]
    )
  })

  test('SIGHUP says where a new flow begins, and that another state directory is that of the next start', async () => {
    const [one, two] = [newStream(), newStream()]
    writeFileSync(at('logs/a.log'), 'a1\n')
    const flowA = { stream: one, files: [at('logs/a.log')], from: 'start', poll: '20ms' }
    const flowB = { stream: two, files: [at('logs/a.log')], from: 'start', poll: '20ms' }
    const agent = start(['agent', '--config', writeConfig([flowA])])
    await agent.until(() => stored(one).length === 1)

    for (let n = 1; n <= 2; n++) {
      writeConfig([flowA, flowB], { state: at('other') })
      agent.host.signal('SIGHUP')
      await agent.until(() => agent.host.stderr().split('the config was read again: 2 flows').length === n + 1)
      await agent.until(() => stored(two).length === 1)
    }
    await agent.stop()

    const stderr = agent.host.stderr()
    const first = `flow ${two} starts for the first time in ${at('state')}: at the start of all files`
    expect([stderr.split(first).length - 1, existsSync(at('other'))]).toEqual([1, false])
    expect(stderr).toContain(`the state directory is ${at('other')} from the next start on; until then ${at('state')}`)
  })

  test('SIGHUP reads the config again: a new flow begins, one that goes ends, and a bad config changes nothing', async () => {
    const [one, two] = [newStream(), newStream()]
    writeFileSync(at('logs/a.log'), 'a1\n')
    writeFileSync(at('logs/b.log'), 'b1\n')
    const flowA = { stream: one, files: [at('logs/a.log')], from: 'start', poll: '20ms' }
    const flowB = { stream: two, files: [at('logs/b.log')], from: 'start', poll: '20ms' }
    const agent = start(['agent', '--config', writeConfig([flowA])])
    await agent.until(() => stored(one).length === 1)

    writeConfig([flowA, { ...flowB, frm: 'start' }])
    agent.host.signal('SIGHUP')
    await agent.until(() => agent.host.stderr().includes('"frm" is not a key; did you mean from?'))
    writeConfig([flowA, flowB])
    agent.host.signal('SIGHUP')
    await agent.until(() => stored(two).length === 1)
    writeConfig([flowB])
    for (let n = 0; n < 3; n++) agent.host.signal('SIGHUP')
    await agent.until(() => agent.host.stderr().split('the config was read again: 1 flows').length === 4)
    appendFileSync(at('logs/a.log'), 'a2\n')
    appendFileSync(at('logs/b.log'), 'b2\n')
    await agent.until(() => stored(two).length === 2)
    const ended = await agent.stop()

    expect([ended.exit, stored(one), stored(two)]).toEqual([0, ['a1'], ['b1', 'b2']])
  })

  test('SIGUSR2 shows the figures and every file, and ends nothing', async () => {
    const stream = newStream()
    writeFileSync(at('logs/a.log'), 'a1\n')
    const agent = start(['agent', '--config', writeConfig([{ stream, files: [at('logs/*.log')], from: 'start' }])])
    await agent.until(() => stored(stream).length === 1)

    agent.host.signal('SIGUSR2')
    await agent.until(() => agent.host.stderr().includes('"type":"file"'))
    const ended = await agent.stop()

    const lines = ended.stderr
      .split('\n')
      .filter(line => line.startsWith('{'))
      .map(line => JSON.parse(line))
    expect([ended.exit, lines]).toMatchObject([
      0,
      [
        { type: 'status', records: 1, files: 1 },
        { type: 'file', flow: stream, path: at('logs/a.log'), size: 3 }
      ]
    ])
  })

  test('58: a file that cannot be read is told once, and the others go on', async () => {
    const stream = newStream()
    mkdirSync(at('logs/folder.log'))
    writeFileSync(at('logs/a.log'), 'a1\n')
    const flow = { stream, files: [at('logs/*.log')], from: 'start', poll: '5ms', rescan: '5ms' }
    const agent = start(['agent', '--config', writeConfig([flow])])
    await agent.until(() => stored(stream).length === 1)
    const fromMs = Date.now()
    await agent.until(() => Date.now() - fromMs > 300)

    const ended = await agent.stop()

    expect([ended.exit, ended.stderr.split('folder.log').length - 1 <= 1]).toEqual([0, true])
  })
})

describe('put --follow', () => {
  test('is one flow of agent: it follows, saves its place, and goes on there', async () => {
    const stream = newStream()
    writeFileSync(at('logs/a.log'), '{"k":"x"}\n')
    const argv = ['put', stream, '--follow', at('logs/*.log'), '--state', at('state'), '--from', 'start', '--key', '.k']

    const agent = start([...argv, '--json'])
    await agent.until(() => stored(stream).length === 1)
    const one = await agent.stop()
    appendFileSync(at('logs/a.log'), '{"k":"y"}\n')
    const two = await service.run([...argv, '--once'])

    expect([one.exit, two.exit, service.stored(stream).sort()]).toEqual([0, 0, ['x: {"k":"x"}', 'y: {"k":"y"}']])
    expect(summaryOf(one)).toMatchObject({ command: 'put', records: 1, delivered: 1 })
  })

  test.each([
    [['--count', '1'], '--count cannot go with --follow'],
    [['--schema', 'a.avsc'], '--schema cannot go with --follow'],
    [['--in', 'csv', '--tee'], '--in, --tee cannot go with --follow']
  ])('refuses %j', async (flags, message) => {
    const ended = await service.run(['put', 's', '--state', at('state'), ...flags, '--follow', at('logs/*')])

    expect([ended.exit, ended.stderr.includes(message) || ended.stderr]).toEqual([2, true])
  })

  test('is needed for --once and --state', async () => {
    const ended = await service.run(['put', 's', '--once'])

    expect(ended.exit).toBe(2)
  })
})

describe('a line above maxLine', () => {
  const SHORT = { from: 'start', maxLine: '16' }

  test('stops the agent, which names its place', async () => {
    const stream = newStream()
    writeFileSync(at('logs/a.log'), `one\n${'x'.repeat(50)}\ntwo\n`)
    const config = writeConfig([{ stream, files: [at('logs/*.log')], ...SHORT }])

    const ended = await service.run(['agent', '--config', config, '--once'])

    expect(ended.exit).toBe(1)
    expect(ended.stderr).toContain(
      `CLI_ERR_LINE_TOO_LONG: a line is longer than maxLine (--max-line) (${at('logs/a.log')}, offset 4)`
    )
  })

  test.each(['skip', 'dead-letter'])(
    'is reported and counted with onFailure %s, and the others arrive',
    async onFailure => {
      const stream = newStream()
      writeFileSync(at('logs/a.log'), `one\n${'x'.repeat(50)}\ntwo\n`)
      const more = onFailure === 'skip' ? {} : { deadLetter: at('dead') }
      const config = writeConfig([{ stream, files: [at('logs/*.log')], ...SHORT, onFailure, ...more }])

      const ended = await service.run(['agent', '--config', config, '--once', '--json'])

      const { exit, records, delivered, skipped } = summaryOf(ended) as Record<string, unknown>
      expect([exit, records, delivered, skipped, stored(stream)]).toEqual([0, 3, 2, 1, ['one', 'two']])
      expect(ended.stderr).toContain('it is skipped, without a dead letter')
    }
  )
})
