import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { COMMANDS } from '../../src/cli/commands.ts'
import { FakeGlue, type FakeGlueServer, startFakeGlue } from '../../src/testing/index.ts'
import { type FakeService, fakeService } from './fake-service.ts'

const PROJECT = fileURLToPath(new URL('../..', import.meta.url))
const ORDER = '{"type":"record","name":"Order","fields":[{"name":"id","type":"long"}]}'
let folder = ''
let main = ''
let service: FakeService
let glue: FakeGlueServer

/** The program as one bundle with the library inside, so that nothing has to be built before. */
beforeAll(async () => {
  mkdirSync(join(PROJECT, 'build'), { recursive: true })
  folder = mkdtempSync(join(PROJECT, 'build/cli-'))
  const { bundleCli } = await import(pathToFileURL(join(PROJECT, 'scripts/bundle-cli.mjs')).href)
  const outdir = join(folder, 'dist/cli')
  await bundleCli(outdir, { isLibraryInside: true })
  writeFileSync(join(folder, 'package.json'), readFileSync(join(PROJECT, 'package.json')))
  main = join(outdir, 'main.js')
  service = await fakeService({ orders: 2 })
  glue = await startFakeGlue({ glue: new FakeGlue() })
})

afterAll(async () => {
  await glue.close()
  await service.close()
  rmSync(folder, { recursive: true })
})

interface Ended {
  readonly code: number | null
  readonly signal: string | null
  readonly stdout: string
  readonly stderr: string
}

function start(argv: readonly string[]): {
  readonly child: ChildProcess
  readonly ended: Promise<Ended>
  readonly seen: { stdout: string; stderr: string }
} {
  const child = spawn(process.execPath, [main, ...argv, '--local', '--endpoint', service.server.endpoint], {
    cwd: folder
  })
  const seen = { stdout: '', stderr: '' }
  child.stdout.on('data', chunk => (seen.stdout += chunk))
  child.stderr.on('data', chunk => (seen.stderr += chunk))
  child.stdin.on('error', () => {})
  const ended = new Promise<Ended>(resolve => child.on('close', (code, signal) => resolve({ code, signal, ...seen })))
  return { child, ended, seen }
}

function shell(line: string): Promise<Ended> {
  const text = line.replace(
    /kinesis-producer /g,
    `${process.execPath} ${main} --local --endpoint ${service.server.endpoint} `
  )
  const env = { ...process.env, AWS_ENDPOINT_URL_GLUE: glue.endpoint }
  const child = spawn('bash', ['-o', 'pipefail', '-c', text], { cwd: folder, env })
  const seen = { stdout: '', stderr: '' }
  child.stdout.on('data', chunk => (seen.stdout += chunk))
  child.stderr.on('data', chunk => (seen.stderr += chunk))
  child.stdin.end()
  return new Promise(resolve => child.on('close', (code, signal) => resolve({ code, signal, ...seen })))
}

describe('the process', () => {
  test('sends a pipe of 100,000 lines, each once', async () => {
    service.server.kinesis.createStream({ StreamName: 'seq', ShardCount: 2 })

    const put = await shell('seq 1 100000 | kinesis-producer put seq')
    const tail = await shell(
      "kinesis-producer tail seq --from oldest --no-follow | sort -n | uniq -c | awk '{n[$1]++} END {for (k in n) print k, n[k]}'"
    )

    expect([put.code, put.stderr, tail.stdout]).toEqual([
      0,
      '100,000 records: 100,000 acknowledged, 0 failed, 0 skipped\n',
      '1 100000\n'
    ])
  })

  test('ends quietly with 0 when nobody reads its stdout any more', async () => {
    const ended = await shell('kinesis-producer tail seq --from oldest --out json | head -1')

    expect([ended.code, ended.stderr, ended.stdout.split('\n').length]).toEqual([0, '', 2])
  })

  test('does not mind a closed stderr, nor a stdin that is closed at once', async () => {
    const closed = await shell('echo x | kinesis-producer put orders 2>&-')
    const empty = await shell('kinesis-producer put orders --json < /dev/null')

    expect([closed.code, empty.code, JSON.parse(empty.stdout).records]).toEqual([0, 0, 0])
  })

  test('finishes at SIGTERM with 0, and ends with 143 at the second', async () => {
    const first = start(['put', 'orders', '--out', 'outcomes'])
    first.child.stdin!.write('a\n')
    await until(() => first.seen.stdout.includes('"n":1'))
    first.child.kill('SIGTERM')
    service.server.kinesis.createStream({ StreamName: 'stuck', ShardCount: 1 })
    let met = 0
    const when = () => met++ >= 0
    service.faults.add({ match: { operation: 'PutRecords', streamName: 'stuck', when }, action: { kind: 'throttle' } })
    const second = start(['put', 'stuck'])
    second.child.stdin!.write('a\nb\n')
    await until(() => met > 0)
    second.child.kill('SIGTERM')
    // Two signals that come together are one to the system.
    await until(() => second.child.stdin!.destroyed || second.child.kill('SIGTERM') === false)

    const [one, two] = [await first.ended, await second.ended]

    expect([one.code, one.signal, two.code, two.signal]).toEqual([0, null, 143, null])
    expect(two.stderr).toContain('stopped at once; 2 records are not acknowledged')
  })

  test('generates in threads, and each of them finishes at SIGTERM', async () => {
    service.server.kinesis.createStream({ StreamName: 'threads', ShardCount: 2 })
    const argv = ['gen', 'threads', '--template', '{{seq}}', '--workers', '3']
    const whole = start([...argv, '--rate', 'max', '--count', '2000', '--json'])
    const summary = JSON.parse((await whole.ended).stdout)
    const before = service.server.kinesis.storedRecords('threads').length
    const endless = start([...argv, '--rate', '1000/s', '--json'])
    await until(() => service.server.kinesis.storedRecords('threads').length > before + 3)

    endless.child.kill('SIGTERM')

    const { code, stdout } = await endless.ended
    const { records, delivered } = JSON.parse(stdout)
    const numbers = service.stored('threads').map(record => Number(record.split(': ')[1]))
    expect([summary.records, summary.delivered, summary.exit, code]).toEqual([2000, 2000, 0, 0])
    expect([delivered, numbers.length]).toEqual([records, 2000 + records])
  })

  test('serves until a signal comes', async () => {
    const serve = start(['serve', '--port', '0'])
    await until(() => serve.seen.stdout.includes('"ready"'))
    serve.child.kill('SIGINT')

    expect((await serve.ended).code).toBe(0)
  })
})

test('every command of every help is run here, and does what its help says', async () => {
  const helps = await Promise.all(COMMANDS.map(({ name }) => shell(`kinesis-producer ${name} --help`)))
  const lines = helps.flatMap(({ stdout }) =>
    stdout
      .split('\nExamples:\n')[1]!
      .split('\n\n')[0]!
      .split('\n')
      .map(line => line.trim())
  )
  const [whole] = [
    ...(await import('../../src/consumer/deaggregate.ts')).aggregate([
      { partitionKey: 'a', data: '1' },
      { partitionKey: 'b', data: '2' }
    ])
  ]
  const base64 = Buffer.from(whole!.data).toString('base64')
  const files = {
    'events.ndjson': '{"user":{"id":1},"type":"created"}\n{"user":{"id":2},"type":"gone"}\n',
    'rows.csv': 'name,n\na,1\n',
    'failed.ndjson': '{"partitionKey":"a","data":"x"}\n',
    'event.json': JSON.stringify({ Records: [{ kinesis: { partitionKey: 'a', data: base64 } }] }),
    'order.avsc': ORDER,
    'orders.tmpl': '{"id":{{seq}}}',
    'week.json': '{"default":{"mean":1,"sd":0}}',
    'var/log/app.log.1': 'a\n',
    'var/log/orders/a.log': 'a\n',
    'etc/aws-kinesis/agent.json': JSON.stringify({
      checkpointFile: join(folder, 'agent-state/checkpoints'),
      flows: [{ filePattern: join(folder, 'var/log/app.log*'), kinesisStream: 'orders' }]
    }),
    'agent.jsonc': JSON.stringify({
      state: join(folder, 'var/lib/kinesis-producer'),
      flows: [{ stream: 'orders', files: [join(folder, 'var/log/app.log*')], from: 'start' }]
    })
  }
  for (const name of ['var/log/orders', 'etc/aws-kinesis']) mkdirSync(join(folder, name), { recursive: true })
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  writeFileSync(join(folder, 'record.bin'), whole!.data)
  await shell('kinesis-producer put orders events.ndjson')
  glue.glue.addVersion({ schemaName: 'orders', dataFormat: 'AVRO', definition: ORDER })
  const isEndless = (line: string) => /\b(?:serve|tail orders$)|agent --config \S+$| --follow /.test(line)

  const failed: string[] = []
  for (const line of lines) {
    const text = line.replace('84mawgoBa...', base64).replace(/\/(?=(?:var|etc)\/)/g, `${folder}/`)
    const ended = isEndless(line) ? await startedAndStopped(text) : await shell(text)
    if (ended.code !== 0) failed.push(`${line}: ${ended.code} ${ended.stderr}`)
  }

  expect([failed, lines.length >= 25]).toEqual([[], true])
}, 180_000)

/** A command that goes on until a signal; `serve` takes a free port here. */
async function startedAndStopped(line: string): Promise<Ended> {
  const words = line.replaceAll("'", '').split(' ').slice(1)
  const isServe = words[0] === 'serve'
  const isFollowing = words[0] === 'agent' || words.includes('--follow')
  const run = start(isServe && !words.includes('--port') ? [...words, '--port', '0'] : words)
  if (isServe) await until(() => run.seen.stdout.includes('"ready"'))
  else if (isFollowing) await until(() => run.seen.stderr !== '')
  else {
    // It reads from now on: records are put until one is seen.
    await until(() => {
      service.server.kinesis.putRecord({ StreamName: 'orders', Data: Buffer.from('x'), PartitionKey: 'k' })
      return run.seen.stdout !== ''
    })
  }
  run.child.kill('SIGINT')
  return run.ended
}

/** Turns of the event loop until something is so. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise(resolve => setImmediate(resolve))
}
