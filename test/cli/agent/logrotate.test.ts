/**
 * logrotate itself, while a process writes numbered lines: LOGROTATE_LINES=200000 for the long run, whose figures are in docs/cli.md.
 * Invariant: every line that logrotate left in a file arrives, and the lines of a file arrive in their order.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type FakeService, fakeService } from '../fake-service.ts'

const LINES = Number(process.env['LOGROTATE_LINES'] ?? 20_000)
const LINES_PER_SECOND = 10_000
/** A file that is compressed is gone after two of them: a loaded machine must have read it by then. */
const ROTATE_EVERY_MS = 1000
const hasLogrotate = spawnSync('logrotate', ['--version']).status === 0

/** Appends batches of numbered lines, and opens its file anew at SIGUSR1, as servers do. */
const WRITER = `
const { openSync, closeSync, writeSync } = require('node:fs')
const [, path, lines, perSecond] = process.argv
let file = openSync(path, 'a')
process.on('SIGUSR1', () => { closeSync(file); file = openSync(path, 'a') })
let n = 0
const step = () => {
  let text = ''
  for (const end = Math.min(lines, n + perSecond / 100); n < end; n++) text += 'line ' + n + '\\n'
  writeSync(file, text)
  if (n < lines) setTimeout(step, 10)
  else process.exit(0)
}
step()`

let service: FakeService
let folder = ''
beforeAll(async () => {
  service = await fakeService({})
  folder = mkdtempSync(join(tmpdir(), 'cli-logrotate-'))
})
afterAll(async () => {
  await service.close()
  rmSync(folder, { recursive: true })
})

describe.skipIf(!hasLogrotate)('logrotate with', () => {
  test.each([
    ['create', 'create'],
    ['copytruncate', 'copytruncate'],
    ['delaycompress', 'create\n  compress\n  delaycompress']
  ])(
    '%s, every second, while lines are written: none is missing, and each file is in order',
    async (name, options) => {
      const at = join(folder, name)
      const log = join(at, 'logs/app.log')
      mkdirSync(join(at, 'logs'), { recursive: true })
      service.server.kinesis.createStream({ StreamName: name, ShardCount: 1 })
      const flow = { stream: name, files: [`${log}*`], exclude: [`${log}*.gz`], from: 'start', key: { const: 'k' } }
      const tuned = { ...flow, poll: '50ms', rescan: '100ms', rotateWait: '500ms', producer: { ordering: 'key' } }
      writeFileSync(join(at, 'agent.jsonc'), JSON.stringify({ state: join(at, 'state'), flows: [tuned] }))

      const { test: host, ended } = service.start(['agent', '--config', join(at, 'agent.jsonc'), '--json'])
      while (!existsSync(join(at, 'state/snapshot.json'))) await new Promise(resolve => setTimeout(resolve, 25))
      const writer = spawn(process.execPath, ['-e', WRITER, log, String(LINES), String(LINES_PER_SECOND)])
      const written = new Promise(resolve => writer.on('close', resolve))
      const postrotate = name === 'copytruncate' ? '' : `postrotate\n    kill -USR1 ${writer.pid}\n  endscript`
      writeFileSync(
        join(at, 'rotate.conf'),
        `su root root\n${log} {\n  rotate 1000\n  missingok\n  ${options}\n  ${postrotate}\n}\n`
      )
      let rotations = 0
      let isWritten = false
      void written.then(() => {
        isWritten = true
      })
      while (!isWritten) {
        await new Promise(resolve => setTimeout(resolve, ROTATE_EVERY_MS))
        if (!isWritten) execFileSync('logrotate', ['-f', '-s', join(at, 'rotate.state'), join(at, 'rotate.conf')])
        rotations++
      }
      const kept = linesByFile(join(at, 'logs'))
      const keptCount = kept.reduce((sum, { numbers }) => sum + numbers.length, 0)
      const deadlineMs = Date.now() + 60_000
      let seen = new Set<number>()
      while (Date.now() < deadlineMs) {
        seen = new Set(arrived(name))
        if (kept.every(({ numbers }) => numbers.every(n => seen.has(n)))) break
        await new Promise(resolve => setTimeout(resolve, 250))
      }
      host.signal('SIGTERM')
      const { exit } = await ended
      const order = arrived(name)

      const missing = kept.flatMap(({ numbers }) => numbers.filter(n => !seen.has(n)))
      const firsts = new Map<number, number>()
      for (const [place, n] of order.entries()) if (!firsts.has(n)) firsts.set(n, place)
      const disordered = kept.filter(({ numbers }) =>
        numbers.some((n, i) => i > 0 && firsts.get(n)! < firsts.get(numbers[i - 1]!)!)
      )
      process.stdout.write(
        `logrotate ${name}: ${LINES} lines written, ${rotations} rotations, ${LINES - keptCount} lost by logrotate itself, ` +
          `${new Set(order).size} arrived, ${order.length - new Set(order).size} repeats, ${missing.length} missing\n`
      )
      expect([exit, missing, disordered.map(({ file }) => file)]).toEqual([0, [], []])
    },
    300_000
  )
})

function linesByFile(logs: string): { readonly file: string; readonly numbers: readonly number[] }[] {
  return readdirSync(logs).map(file => {
    const bytes = readFileSync(join(logs, file))
    const text = (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString()
    return {
      file,
      numbers: text
        .split('\n')
        .filter(Boolean)
        .map(line => Number(line.slice('line '.length)))
    }
  })
}

function arrived(stream: string): number[] {
  return service.stored(stream).map(line => Number(line.slice('k: line '.length)))
}
