/** The config file of `agent`: what it takes, what it refuses, and its JSON Schema. */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Ajv } from 'ajv'
import { describe, expect, test } from 'vitest'
import { agentConfig } from '../../../src/cli/agent/config.ts'
import { configSchema, FILE } from '../../../src/cli/agent/config-table.ts'
import { CliError } from '../../../src/cli/errors.ts'
import { DEFAULT_FLOW, DEFAULT_FRAMING } from '../../../src/cli/follow/flow-settings.ts'

const SCHEMA = fileURLToPath(new URL('../../../schema/agent.schema.json', import.meta.url))
const flow = { stream: 's', files: ['/a/*.log'] }

test('a flow with nothing but a stream and files has the defaults', () => {
  const config = agentConfig({ flows: [flow] }, 'a.jsonc')

  expect(config).toEqual({
    path: 'a.jsonc',
    region: undefined,
    endpoint: undefined,
    state: undefined,
    flows: [
      {
        settings: { ...DEFAULT_FLOW, id: 's', files: ['/a/*.log'] },
        stream: 's',
        key: {},
        badKey: 'fail',
        process: [],
        deadLetter: undefined,
        producer: {}
      }
    ]
  })
})

test('every key of a flow is read', () => {
  const given = {
    ...flow,
    id: 'x',
    exclude: ['/a/b.log'],
    from: 'start',
    key: { json: '.a' },
    badKey: 'skip',
    process: [{ singleLine: {} }],
    multiline: { start: '(?i)^x', maxLines: 3, maxBytes: '1KiB', flushAfter: '1s' },
    skipHeader: 2,
    footer: '^END',
    keepNewline: true,
    keepCr: true,
    emptyLines: 'send',
    maxLine: '1MiB',
    maxRecord: 'truncate',
    truncatedTerminator: '',
    partialAfter: '2s',
    onFailure: 'dead-letter',
    deadLetter: '/d',
    fingerprint: { ignoreBytes: 10 },
    rotateWait: '3s',
    copyWait: '4s',
    copyDirs: ['/c'],
    copies: 'skip',
    compressed: 'read',
    ignoreOlder: '1d',
    afterDone: 'delete',
    strictOrder: true,
    poll: '100ms',
    rescan: '5s',
    closeIdle: '6m',
    forgetAfter: '2d',
    producer: { maxUserRecordBytes: 1000 }
  }

  const { flows } = agentConfig({ producer: { ordering: 'key' }, flows: [given] }, 'a.jsonc')

  expect(flows).toEqual([
    {
      settings: {
        id: 'x',
        files: ['/a/*.log'],
        exclude: ['/a/b.log'],
        from: 'start',
        framing: {
          ...DEFAULT_FRAMING,
          skipHeader: 2,
          footer: /^END/,
          keepNewline: true,
          keepCr: true,
          emptyLines: 'send',
          maxLineBytes: 1_048_576,
          maxRecordBytes: 1000,
          maxRecord: 'truncate',
          truncatedTerminator: '',
          partialAfterMs: 2000,
          multiline: { start: /^x/i, maxLines: 3, maxBytes: 1024, flushAfterMs: 1000 }
        },
        fingerprintIgnoreBytes: 10,
        rotateWaitMs: 3000,
        copyWaitMs: 4000,
        copyDirs: ['/c'],
        copies: 'skip',
        compressed: 'read',
        ignoreOlderMs: 86_400_000,
        afterDone: 'delete',
        strictOrder: true,
        pollMs: 100,
        rescanMs: 5000,
        closeIdleMs: 360_000,
        forgetAfterMs: 172_800_000,
        onFailure: 'dead-letter'
      },
      stream: 's',
      key: { key: '.a' },
      badKey: 'skip',
      process: [{ singleLine: {} }],
      deadLetter: '/d',
      producer: { ordering: 'key', maxUserRecordBytes: 1000 }
    }
  ])
})

/** Values that do not fit, each with the words that name the place. */
const WRONG: readonly (readonly [unknown, string])[] = [
  [{}, 'a.jsonc: flows is missing'],
  [[], 'a.jsonc must be an object'],
  [{ flows: [] }, 'a.jsonc: flows must be a list that is not empty, got a list'],
  [{ flows: [flow], regoin: 'x' }, 'a.jsonc: "regoin" is not a key; did you mean region?'],
  [{ flows: [{ ...flow, multilne: {} }] }, 'a.jsonc: flows[0]: "multilne" is not a key; did you mean multiline?'],
  [
    { flows: [{ ...flow, multiline: { strat: 'x' } }] },
    'a.jsonc: flows[0].multiline: "strat" is not a key; did you mean start?'
  ],
  [{ flows: [{ ...flow, multiline: {} }] }, 'a.jsonc: flows[0].multiline: start is missing'],
  [{ flows: [{ files: ['/a'] }] }, 'a.jsonc: flows[0]: stream is missing'],
  [{ flows: [{ stream: 's', files: [] }] }, 'a.jsonc: flows[0].files must be a list that is not empty, got a list'],
  [
    { flows: [{ ...flow, files: ['a.log'] }] },
    'a.jsonc: flows[0].files[0] must be an absolute path or glob, got "a.log"'
  ],
  [{ flows: [{ ...flow, from: 'begin' }] }, 'a.jsonc: flows[0].from must be "end", "start", got "begin"'],
  [
    { flows: [{ ...flow, copies: 'skp' }] },
    'a.jsonc: flows[0].copies must be "send", "skip", got "skp"; did you mean skip?'
  ],
  [
    { flows: [{ ...flow, rotateWait: 5 }] },
    'a.jsonc: flows[0].rotateWait must be a time: "250ms", "30s", "15m", "1h" or "7d", got 5'
  ],
  [{ flows: [{ ...flow, rotateWait: '5 parsec' }] }, 'a.jsonc: flows[0].rotateWait must be a time'],
  [{ flows: [{ ...flow, maxLine: '8 stone' }] }, 'a.jsonc: flows[0].maxLine must be a size from 1 bytes on'],
  [{ flows: [{ ...flow, maxLine: 0 }] }, 'a.jsonc: flows[0].maxLine must be a size from 1 bytes on'],
  [{ flows: [{ ...flow, skipHeader: -1 }] }, 'a.jsonc: flows[0].skipHeader must be a whole number from 0 on, got -1'],
  [{ flows: [{ ...flow, keepCr: 'yes' }] }, 'a.jsonc: flows[0].keepCr must be true or false, got "yes"'],
  [{ flows: [{ ...flow, key: {} }] }, 'a.jsonc: flows[0].key takes exactly one of json, const,'],
  [
    { flows: [{ ...flow, key: { json: '.a', const: 'b' } }] },
    'a.jsonc: flows[0].key takes exactly one of json, const,'
  ],
  [
    { flows: [{ ...flow, process: [{ sinleLine: {} }] }] },
    'a.jsonc: flows[0].process[0]: "sinleLine" is not a key; did you mean singleLine?'
  ],
  [
    { flows: [{ ...flow, producer: { recordTtl: 1 } }] },
    'a.jsonc: flows[0].producer: "recordTtl" is not a key; did you mean recordTtlMs?'
  ],
  [{ flows: [flow], state: 'relative' }, 'a.jsonc: state must be an absolute path or glob, got "relative"'],
  [{ flows: [flow], region: 1 }, 'a.jsonc: region must be a text that is not empty, got 1']
]

describe('a config that will not do', () => {
  test.each(WRONG)('%j ends with 2 and its place', (value, message) => {
    const thrown = thrownBy(() => agentConfig(value, 'a.jsonc'))

    expect([thrown.code, thrown.message.startsWith(message) || thrown.message]).toEqual(['CLI_ERR_CONFIG', true])
  })

  test.each([
    [{ flows: [flow, flow] }, 'a.jsonc: two flows are named "s"'],
    [{ flows: [{ ...flow, onFailure: 'dead-letter' }] }, 'flow "s": onFailure dead-letter needs deadLetter, a file'],
    [{ flows: [{ ...flow, footer: '(' }] }, 'a.jsonc: flows[0].footer is not a regular expression: Unterminated group']
  ])('that a schema cannot say: %j', (value, message) => {
    const thrown = thrownBy(() => agentConfig(value, 'a.jsonc'))

    expect([thrown.code, thrown.message]).toEqual(['CLI_ERR_CONFIG', message])
  })
})

describe('the JSON Schema in the package', () => {
  test('is that of the table', () => {
    const should = `${JSON.stringify(configSchema(), undefined, 2)}\n`
    if (process.env['UPDATE_DOCS'] === '1') writeFileSync(SCHEMA, should)

    expect(readFileSync(SCHEMA, 'utf8')).toBe(should)
  })

  test('takes and refuses what the checks take and refuse', () => {
    const isValid = new Ajv({ strict: false }).compile(configSchema())
    const right = [
      { flows: [flow] },
      { flows: [{ ...flow, maxLine: '1MiB', key: { hash: 'md5' }, process: [{ wrap: {} }] }] }
    ]

    const verdicts = [...right, ...WRONG.map(([value]) => value)].map(value => ({
      value,
      schema: isValid(value),
      checks: isRead(value)
    }))

    expect(verdicts.filter(({ schema, checks }) => schema !== checks)).toEqual([])
    expect(verdicts.slice(0, right.length).every(({ checks }) => checks)).toBe(true)
  })
})

function isRead(value: unknown): boolean {
  try {
    FILE.read(value, 'a.jsonc')
    return true
  } catch (error) {
    if (error instanceof CliError) return false
    throw error
  }
}

function thrownBy(act: () => unknown): CliError {
  try {
    act()
  } catch (error) {
    if (error instanceof CliError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}
