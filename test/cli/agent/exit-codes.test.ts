/** Each command of following files, and each exit code that it has: what has to happen for it. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { cli, type Ended, type FakeService, fakeService } from '../fake-service.ts'

let service: FakeService
let folder = ''

beforeAll(async () => {
  service = await fakeService({ orders: 1 })
  folder = mkdtempSync(join(tmpdir(), 'cli-exit-'))
  mkdirSync(at('logs'))
  writeFileSync(at('logs/a.log'), 'a\n')
  writeFileSync(at('logs/large.txt'), `${'x'.repeat(2000)}\n`)
  mkdirSync(at('damaged'))
  writeFileSync(at('damaged/snapshot.json'), 'x')
})
afterAll(async () => {
  await service.close()
  rmSync(folder, { recursive: true })
})

const at = (name: string) => join(folder, name)

function config(name: string, flow: object, more: object = {}): string {
  const path = at(`${name}.jsonc`)
  const whole = { stream: 'orders', files: [at('logs/*.log')], from: 'start', ...flow }
  writeFileSync(path, JSON.stringify({ state: at(`state-${name}`), ...more, flows: [whole] }))
  return path
}

const large = { producer: { maxUserRecordBytes: 1000 } }
const once = (path: string, ...flags: string[]) => service.run(['agent', '--config', path, '--once', ...flags])
const follow = (...flags: string[]) => service.run(['put', 'orders', '--follow', at('logs/*.log'), '--once', ...flags])

const TABLE: readonly (readonly [command: string, exit: number, why: string, run: () => Promise<Ended>])[] = [
  ['agent', 0, 'everything was acknowledged', () => once(config('sent', {}))],
  ['agent', 0, 'no file matches', () => once(config('none', { files: [at('logs/*.none')] }))],
  [
    'agent',
    0,
    'the record is skipped by a policy',
    () => once(config('skip', { ...large, onFailure: 'skip', files: [at('logs/large.txt')] }))
  ],
  ['agent', 1, 'a record can never be sent', () => once(config('large', { ...large, files: [at('logs/large.txt')] }))],
  ['agent', 2, '--config is missing', () => service.run(['agent'])],
  ['agent', 2, 'a key is not known', () => once(config('typo', { form: 'start' }))],
  [
    'agent',
    2,
    'an option of the producer is out of its bounds',
    () => once(config('bounds', {}, { producer: { bufferMaxBytes: -1 } }))
  ],
  [
    'agent',
    2,
    'retry and a time to live exclude each other',
    () => once(config('ttl', { producer: { recordTtlMs: 1000 } }))
  ],
  ['agent', 2, 'a step is wrong', () => once(config('step', { process: [{ csv: {} }] }))],
  ['agent', 2, 'a key path is wrong', () => once(config('key', { key: { json: 'no dot' } }))],
  ['agent', 3, 'there is no such stream', () => once(config('stream', { stream: 'nowhere' }))],
  ['agent', 4, 'the config file is not there', () => once('/nowhere/agent.jsonc')],
  ['agent', 4, 'the state is damaged', () => once(config('damaged', {}), '--state', at('damaged'))],
  ['agent', 4, 'the state directory is a file', () => once(config('file', {}), '--state', at('logs/a.log'))],
  [
    'agent',
    4,
    'the dead letter file cannot be opened',
    () => once(config('dead', { onFailure: 'dead-letter', deadLetter: at('no/dead') }))
  ],
  ['put --follow', 0, 'everything was acknowledged', () => follow('--state', at('state-put'), '--from', 'start')],
  [
    'put --follow',
    1,
    'a record has no key',
    () => follow('--state', at('state-key'), '--from', 'start', '--key', '.id')
  ],
  ['put --follow', 2, 'a flag does not go with it', () => follow('--tee')],
  ['put --follow', 4, 'the state directory is a file', () => follow('--state', at('logs/a.log'))],
  ['agent import', 2, 'it is no JSON', () => cli(['agent', 'import', '-'], { stdin: '{' })],
  ['agent import', 4, 'the file is not there', () => cli(['agent', 'import', '/nowhere'])],
  ['agent check', 0, 'the file was sent', () => cli(['agent', 'check', '--state', at('state-sent'), at('logs/a.log')])],
  [
    'agent check',
    1,
    'the file is not known',
    () => cli(['agent', 'check', '--state', at('state-sent'), at('logs/large.txt')])
  ],
  ['agent check', 2, 'no file is named', () => cli(['agent', 'check'])],
  ['agent check', 4, 'there is no state', () => cli(['agent', 'check', '--state', at('no'), at('logs/a.log')])],
  ['agent check', 4, 'the state is damaged', () => cli(['agent', 'check', '--state', at('damaged'), at('logs/a.log')])],
  ['agent status', 0, 'the state can be read', () => cli(['agent', 'status', '--state', at('state-sent')])],
  ['agent status', 4, 'there is no state', () => cli(['agent', 'status', '--state', at('no')])],
  ['doctor', 0, 'all checks pass or warn', () => service.run(['doctor', '--config', config('doctor', {})])],
  [
    'doctor',
    1,
    'the config will not do',
    () => service.run(['doctor', '--config', config('doctor-typo', { form: 1 })])
  ],
  [
    'doctor',
    1,
    'the state is damaged',
    () => service.run(['doctor', '--config', config('doctor-state', {}, { state: at('damaged') })])
  ]
]

test.each(TABLE)('%s ends with %d when %s', async (_, exit, __, run) => {
  const ended = await run()

  expect([ended.exit, exit === 0 || exit === 1 ? '' : ended.stderr.includes('error ') ? '' : ended.stderr]).toEqual([
    exit,
    ''
  ])
})
