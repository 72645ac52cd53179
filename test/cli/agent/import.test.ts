/** The Kinesis Agent's config file as ours. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { agentConfig } from '../../../src/cli/agent/config.ts'
import { importAgentJson, isAgentJson } from '../../../src/cli/agent/import-config.ts'
import { parseJsonc } from '../../../src/cli/config.ts'
import { cli } from '../fake-service.ts'

const at = (name: string) => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url))
const textOf = (name: string) => readFileSync(at(name), 'utf8')

test('an agent.json with every documented key is imported: the config, and each key in one of four lists', () => {
  const value = parseJsonc(textOf('agent.jsonc'), 'agent.json')

  const imported = importAgentJson(value, 'agent.json')

  expect(imported).toEqual(JSON.parse(textOf('agent-imported.json')))
})

test('what comes out is a config of ours, with regular expressions that match what the Agent matched', () => {
  const { config } = importAgentJson(parseJsonc(textOf('agent.jsonc'), 'agent.json'), 'agent.json')

  const { flows, state } = agentConfig(config, 'agent.jsonc')

  const [app, web] = flows
  expect([state, flows.map(({ settings }) => settings.id)]).toEqual([
    '/var/lib/aws-kinesis-agent/kinesis-producer',
    ['app', 'web /var/log/httpd/access_log', 'web /var/log/httpd/error_log']
  ])
  expect(['[ info x', 'x [INFO'].map(line => app?.settings.framing.multiline?.start.test(line))).toEqual([true, false])
  expect(['END 12', 'END 12 x'].map(line => app?.settings.framing.footer?.test(line))).toEqual([true, false])
  expect(web?.key).toEqual({ keyHash: 'md5' })
})

test('no list and no output holds a secret', async () => {
  const { stdout, stderr } = await cli(['agent', 'import', at('agent.jsonc')])

  expect(/wJalr|AKIA/.test(stdout + stderr)).toBe(false)
})

describe('agent import', () => {
  const plain = '{"flows":[{"filePattern":"/tmp/a.log*","kinesisStream":"s"}]}'
  const fire = '{"flows":[{"filePattern":"/tmp/a.log*","deliveryStream":"s"},{"filePattern":"/a","kinesisStream":"s"}]}'
  const unknown = '{"flows":[{"filePattern":"/tmp/a.log*","kinesisStream":"s","x":1}]}'
  const plugin =
    '{"flows":[{"filePattern":"/a","kinesisStream":"s","dataProcessingOptions":[{"optionName":"USINGPLUGGIN"}]}]}'

  test.each([
    [plain, [], 0],
    [fire, [], 1],
    [fire, ['--skip-firehose'], 0],
    [plugin, ['--skip-firehose'], 1],
    [unknown, [], 0],
    [unknown, ['--strict'], 1],
    ['{"flows":[{"filePattern":"a.log","kinesisStream":"s"}]}', [], 2],
    ['{"flows":[{"filePattern":"/a/../b","kinesisStream":"s"}]}', [], 2],
    ['{"flows":{}}', [], 2],
    ['{', [], 2]
  ] as const)('of %s with %j ends with %d', async (text, flags, exit) => {
    const ended = await cli(['agent', 'import', '-', ...flags], { stdin: text })

    expect(ended.exit).toBe(exit)
  })

  test('writes the config to stdout and the lists to stderr', async () => {
    const ended = await cli(['agent', 'import', '-'], { stdin: plain })

    expect(JSON.parse(ended.stdout)).toEqual({
      flows: [
        {
          stream: 's',
          files: ['/tmp/a.log*'],
          exclude: ['gz', 'bz2', 'zip', 'xz', 'zst'].map(ending => `/tmp/*.${ending}`),
          keepNewline: true,
          maxRecord: 'truncate',
          truncatedTerminator: '\n'
        }
      ]
    })
    expect(ended.stderr).toBe(
      'applied        flows[0].filePattern: files ["/tmp/a.log*"]\napplied        flows[0].kinesisStream: stream s\n'
    )
  })

  test('takes the file that comes with the Kinesis Agent, whose endpoints are empty', async () => {
    const shipped = {
      'cloudwatch.emitMetrics': true,
      'kinesis.endpoint': '',
      'firehose.endpoint': '',
      flows: [{ filePattern: '/tmp/app.log*', kinesisStream: 'yourkinesisstream', partitionKeyOption: 'RANDOM' }]
    }
    const folder = mkdtempSync(join(tmpdir(), 'cli-import-'))
    writeFileSync(join(folder, 'agent.json'), JSON.stringify(shipped))

    const ended = await cli(['agent', 'import', join(folder, 'agent.json')])

    rmSync(folder, { recursive: true })
    expect([ended.exit, JSON.parse(ended.stdout).endpoint]).toEqual([0, undefined])
    expect(ended.stderr).toContain('no effect      kinesis.endpoint: it is empty: the default')
  })

  test('of a file that is not there ends with 4', async () => {
    const ended = await cli(['agent', 'import', '/nowhere/agent.json'])

    expect(ended.exit).toBe(4)
  })
})

test.each([
  ['{"flows":[{"filePattern":"/a"}]}', true],
  ['{"kinesis.endpoint":"x","flows":[]}', true],
  ['{"flows":[{"stream":"s","files":["/a"]}]}', false],
  ['{"state":"/s","flows":[]}', false],
  ['[]', false]
])("%s is the Agent's: %s", (text, isAgents) => {
  expect(isAgentJson(JSON.parse(text))).toBe(isAgents)
})
