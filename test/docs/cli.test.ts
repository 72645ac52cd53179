import { expect, test } from 'vitest'
import { FILE_KEYS, FLOW_KEYS } from '../../src/cli/agent/config-table.ts'
import { COMMANDS } from '../../src/cli/commands.ts'
import { CLI_ERRORS } from '../../src/cli/errors.ts'
import { EXIT_CODES } from '../../src/cli/exit-codes.ts'
import { FAKER_NAMES, KDG_ALIASES } from '../../src/cli/gen/aliases.ts'
import { cli } from '../cli/fake-service.ts'
import { generated, table } from './documents.ts'

const FILE = 'docs/cli.md'

test('docs/cli.md has the exit codes of the table', () => {
  const rows = Object.entries(EXIT_CODES).map(([code, meaning]) => [code, meaning])

  const { is, shouldBe } = generated(FILE, 'exit-codes', table(['code', 'meaning'], rows))

  expect(is).toBe(shouldBe)
})

test('docs/cli.md has the errors of the command line', () => {
  const rows = Object.entries(CLI_ERRORS).map(([code, { exit, fix }]) => [`\`${code}\``, String(exit), fix])

  const { is, shouldBe } = generated(FILE, 'cli-errors', table(['code', 'exit code', 'what to do'], rows))

  expect(is).toBe(shouldBe)
})

test('docs/cli.md has the flags that every command takes', async () => {
  const { stdout } = await cli(['--help'])

  const { is, shouldBe } = generated(FILE, 'global-flags', block(stdout.split('\nExamples:')[0]!))

  expect(is).toBe(shouldBe)
})

const WITHIN = ['agent import', 'agent check', 'agent status']

test.each([...COMMANDS.map(({ name }) => name), ...WITHIN])('docs/cli.md has the help of %s', async name => {
  const { stdout } = await cli([...name.split(' '), '--help'])
  const own = stdout.replace(/\nGlobal Options:[\s\S]*?(?=\nExamples:)/, '')

  const { is, shouldBe } = generated(FILE, `help-${name.replace(' ', '-')}`, block(own))

  expect(is).toBe(shouldBe)
})

test('docs/cli.md has the names of the Kinesis Data Generator', () => {
  const rows = Object.entries(KDG_ALIASES).map(([name, target]) => [`\`${name}\``, `\`${target}\``])

  const { is, shouldBe } = generated(FILE, 'kdg-names', table(['in a KDG template', 'helper of faker 10'], rows))

  expect([is === shouldBe, rows.every(([name]) => name!.replaceAll('`', '') in FAKER_NAMES)]).toEqual([true, true])
})

test('docs/cli.md has the keys of the config file of agent', () => {
  const rows = (keys: Readonly<Record<string, { readonly doc: string }>>) =>
    Object.entries(keys).map(([name, { doc }]) => [`\`${name}\``, doc])

  const file = generated(FILE, 'agent-file-keys', table(['key', 'meaning'], rows(FILE_KEYS)))
  const flow = generated(FILE, 'agent-flow-keys', table(['key of a flow', 'meaning'], rows(FLOW_KEYS)))

  expect([file.is, flow.is]).toEqual([file.shouldBe, flow.shouldBe])
})

function block(text: string): string {
  return `\`\`\`text\n${text.trim().replace(/ +$/gm, '')}\n\`\`\`\n`
}
