/** What `doctor` says of the flows of a config file and of the state directory. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type FakeService, fakeService } from '../fake-service.ts'

let service: FakeService
let folder = ''

beforeAll(async () => {
  service = await fakeService({ orders: 2 })
})
afterAll(() => service.close())
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cli-doctor-'))
  mkdirSync(join(folder, 'logs'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const at = (name: string) => join(folder, name)

async function doctor(config: unknown) {
  writeFileSync(at('agent.jsonc'), typeof config === 'string' ? config : JSON.stringify(config))
  const ended = await service.run(['doctor', '--config', at('agent.jsonc'), '--json'])
  const checks = ended.stdout
    .trim()
    .split('\n')
    .map((line): { readonly id: string; readonly status: string; readonly message: string } => JSON.parse(line))
  /** Statuses and messages of a check, without what depends on the machine. */
  const of = (id: string) =>
    checks
      .filter(check => check.id === id)
      .map(
        ({ status, message }) =>
          `${status} ${message.replaceAll(folder, '').replace(/\b\d[\d,]* (ms|s ago|MiB)/g, 'N $1')}`
      )
  return { ...ended, of }
}

describe('doctor with the config of agent', () => {
  test('checks the flows, their files, the state directory and the stream of each', async () => {
    writeFileSync(at('logs/a.log'), 'INFO a\n  more\nINFO b\n')
    const flow = { id: 'f', stream: 'orders', files: [at('logs/*')], multiline: { start: '^INFO' } }

    const ended = await doctor({ state: at('state'), flows: [flow] })

    expect(ended.exit).toBe(0)
    expect(ended.of('config')).toEqual(['pass 1 flows'])
    expect(ended.of('flow f')).toEqual([
      'pass 1 files; the newest was changed N s ago',
      'pass multiline.start matches 2 of the first 4 lines of /logs/a.log'
    ])
    expect(ended.of('descriptors')[0]).toMatch(/^pass .* files may be open, 101 are needed at most$/)
    expect(ended.of('stream')[0]).toMatch(/^pass orders is ACTIVE/)
  })

  test('warns of patterns without files, compressed and binary files, and a start that matches nothing', async () => {
    writeFileSync(at('logs/a.log.gz'), 'x')
    writeFileSync(at('logs/a.log'), Buffer.from([1, 0, 2, 10]))
    const flows = [
      { id: 'none', stream: 'orders', files: [at('nothing/*')] },
      { id: 'odd', stream: 'orders', files: [at('logs/*')], multiline: { start: '^INFO' } }
    ]

    const ended = await doctor({ state: at('state'), flows })

    expect(ended.exit).toBe(0)
    expect(ended.of('flow none')).toEqual(['warn no file matches /nothing/*'])
    expect(ended.of('flow odd')).toContain('warn 1 files are compressed and are not read: /logs/a.log.gz')
  })

  test('says of the state directory whether it can be made, what it lies on, and what is in it', async () => {
    writeFileSync(at('logs/a.log'), 'a\n')
    const config = { state: at('state'), flows: [{ stream: 'orders', files: [at('logs/*')], from: 'start' }] }
    const before = await doctor(config)
    await service.run(['agent', '--config', at('agent.jsonc'), '--once'])

    const after = await doctor(config)

    expect(before.of('state')[0]).toBe('pass /state is not there yet, and can be made; a sync took N ms')
    expect(after.of('state')).toEqual([
      'pass /state; a sync took N ms',
      expect.stringMatching(/^warn the state directory .*is emptied when the machine starts/),
      'pass N MiB are free',
      'pass 1 flows and 1 files are known'
    ])
    expect(after.of('lock')).toEqual(['pass nobody holds the lock'])
  })

  test('fails for a damaged state, naming --reset', async () => {
    mkdirSync(at('state'))
    writeFileSync(at('state/snapshot.json'), 'x')

    const ended = await doctor({ state: at('state'), flows: [{ stream: 'orders', files: [at('logs/*')] }] })

    expect([ended.exit, ended.stdout.includes('--reset start'), ended.of('state').at(-1)]).toEqual([
      1,
      true,
      'fail /state: no snapshot of the state directory is readable'
    ])
  })

  test('fails for a config that will not do, with its place', async () => {
    const ended = await doctor({ flows: [{ strem: 'orders', files: ['/a'] }] })

    expect([ended.exit, ended.of('config')]).toEqual([
      1,
      ['fail /agent.jsonc: flows[0]: "strem" is not a key; did you mean stream?']
    ])
  })

  test("takes a Kinesis Agent's file", async () => {
    writeFileSync(at('logs/a.log'), 'a\n')

    const ended = await doctor(`{"flows":[{"filePattern":"${at('logs/a.log')}","kinesisStream":"orders"}]}`)

    expect([ended.exit, ended.of('flow orders')]).toEqual([0, ['pass 1 files; the newest was changed N s ago']])
  })
})
