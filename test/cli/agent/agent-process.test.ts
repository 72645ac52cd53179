/** `agent` as a process of its own, with real files: killed, started twice, robbed of its lock. */
import { type ChildProcess, spawn } from 'node:child_process'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync
} from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type FakeService, fakeService } from '../fake-service.ts'

const PROJECT = fileURLToPath(new URL('../../..', import.meta.url))
let folder = ''
let main = ''
let service: FakeService
let runs = 0

beforeAll(async () => {
  mkdirSync(join(PROJECT, 'build'), { recursive: true })
  folder = mkdtempSync(join(PROJECT, 'build/cli-agent-'))
  const { bundleCli } = await import(pathToFileURL(join(PROJECT, 'scripts/bundle-cli.mjs')).href)
  const outdir = join(folder, 'dist/cli')
  await bundleCli(outdir, { isLibraryInside: true })
  writeFileSync(join(folder, 'package.json'), readFileSync(join(PROJECT, 'package.json')))
  main = join(outdir, 'main.js')
  service = await fakeService({})
})

afterAll(async () => {
  await service.close()
  rmSync(folder, { recursive: true })
})

interface Ended {
  readonly code: number | null
  readonly signal: string | null
  readonly stderr: string
}

interface Agent {
  readonly child: ChildProcess
  readonly ended: Promise<Ended>
  stderr(): string
}

/** A stream, a log folder and a config of its own. */
function newFlow(more: object = {}): {
  readonly stream: string
  readonly log: string
  readonly state: string
  readonly config: string
} {
  const at = join(folder, `run-${runs}`)
  const stream = `stream-${runs++}`
  service.server.kinesis.createStream({ StreamName: stream, ShardCount: 2 })
  mkdirSync(join(at, 'logs'), { recursive: true })
  const [log, state, config] = [join(at, 'logs/app.log'), join(at, 'state'), join(at, 'agent.jsonc')]
  const flow = { stream, files: [`${log}*`], from: 'start', poll: '20ms', rescan: '50ms', ...more }
  writeFileSync(config, JSON.stringify({ state, flows: [flow] }))
  return { stream, log, state, config }
}

function agent(config: string, ...flags: string[]): Agent {
  const argv = [main, 'agent', '--config', config, ...flags, '--local', '--endpoint', service.server.endpoint]
  const child = spawn(process.execPath, argv, { cwd: folder })
  let stderr = ''
  child.stderr.on('data', chunk => (stderr += chunk))
  const ended = new Promise<Ended>(resolve => child.on('close', (code, signal) => resolve({ code, signal, stderr })))
  return { child, ended, stderr: () => stderr }
}

function lines(stream: string): string[] {
  return service.stored(stream).map(line => line.slice(line.indexOf(': ') + 2))
}

/** Until something is so; throws when the agent has ended. */
async function until(isSo: () => boolean, { child, stderr }: Agent): Promise<void> {
  while (!isSo()) {
    if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}: ${stderr()}`)
    await new Promise(resolve => setTimeout(resolve, 25))
  }
}

describe('the process', () => {
  test('33: killed with SIGKILL again and again while lines come and files rotate loses no line', async () => {
    const { stream, log, config } = newFlow()
    let written = 0
    const write = (count: number) => {
      let text = ''
      for (let i = 0; i < count; i++) text += `line:${written++}\n`
      appendFileSync(log, text)
    }
    write(500)
    for (let round = 0; round < 6; round++) {
      const running = agent(config)
      const before = lines(stream).length
      await until(() => lines(stream).length > before, running)
      write(300)
      if (round % 2 === 1) renameSync(log, `${log}.${round}`)
      write(300)
      // Somewhere between two saves.
      await new Promise(resolve => setTimeout(resolve, round * 130))
      running.child.kill('SIGKILL')
      await running.ended
      write(200)
    }
    const last = await agent(config, '--once').ended

    const numbers = lines(stream).map(line => Number(line.slice('line:'.length)))
    const missing = Array.from({ length: written }, (_, n) => n).filter(n => !new Set(numbers).has(n))
    expect([last.code, missing, new Set(numbers).size]).toEqual([0, [], written])
  }, 60_000)

  test('ends with 0 at SIGTERM, and gives the lock back', async () => {
    const { stream, log, state, config } = newFlow()
    writeFileSync(log, 'a\n')
    const running = agent(config)
    await until(() => lines(stream).length === 1, running)

    running.child.kill('SIGTERM')
    const ended = await running.ended

    expect([ended.code, ended.signal, existsSync(join(state, 'lock'))]).toEqual([0, null, false])
  })

  test('45: the second on one state directory ends with 4 and names the first; after SIGKILL the lock is free', async () => {
    const { stream, log, config } = newFlow()
    writeFileSync(log, 'a\n')
    const first = agent(config)
    await until(() => lines(stream).length === 1, first)

    const second = await agent(config).ended
    first.child.kill('SIGKILL')
    await first.ended
    appendFileSync(log, 'b\n')
    const third = await agent(config, '--once').ended

    expect([second.code, third.code, lines(stream).includes('b')]).toEqual([4, 0, true])
    expect(second.stderr).toContain(`in use by process ${first.child.pid} of `)
  })

  test('45: that loses its lock reads no more and ends with 4', async () => {
    const { stream, log, state, config } = newFlow()
    writeFileSync(log, 'a\n')
    const running = agent(config)
    await until(() => lines(stream).length === 1, running)
    const lock = JSON.parse(readFileSync(join(state, 'lock'), 'utf8'))

    writeFileSync(join(state, 'lock'), JSON.stringify({ ...lock, pid: 1, token: 'other' }))
    const ended = await running.ended

    expect([ended.code, ended.stderr.includes('another process took the lock')]).toEqual([4, true])
    expect(JSON.parse(readFileSync(join(state, 'lock'), 'utf8')).token).toBe('other')
  })

  test('57: does not mind that stderr is closed, nor that stdin is', async () => {
    const { stream, log, config } = newFlow()
    writeFileSync(log, 'a\n')
    const text = `${process.execPath} ${main} agent --config ${config} --once --local --endpoint ${service.server.endpoint} 2>&- <&-`

    const code = await new Promise(resolve => spawn('bash', ['-c', text], { cwd: folder }).on('close', resolve))

    expect([code, lines(stream)]).toEqual([0, ['a']])
  })

  test('44: a state directory that cannot be made ends with 4 and its name', async () => {
    const { log, config } = newFlow()
    writeFileSync(log, 'a\n')

    const ended = await agent(config, '--state', `${log}/state`).ended

    expect([ended.code, ended.stderr.includes(`the state directory ${log}/state cannot be used: ENOTDIR`)]).toEqual([
      4,
      true
    ])
  })
})
