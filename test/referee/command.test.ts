import { expect, test } from 'vitest'
import { runCommand } from './command.ts'
import { MissingToolchainError, type Outcome, type Referee } from './outcome.ts'
import { versionOf } from './toolchain.ts'

test('without a name it lists the programs and what each one needs, with exit code 0', async () => {
  const { code, printed } = await call([])

  expect([code, printed.split('\n').filter(line => line.startsWith('  '))]).toEqual([
    0,
    [
      '  equal     equal; needs nothing',
      '  unlike    unlike; needs nothing',
      '  missing   missing; needs nothing',
      '  broken    broken; needs nothing'
    ]
  ])
})

test('a run without a difference has exit code 0, and is kept only with --record', async () => {
  const plain = await call(['equal'])
  const kept = await call(['equal', '--seed', '7', '--record'])

  expect([plain.code, plain.recorded, kept.code, kept.recorded, kept.seeds]).toEqual([0, [], 0, ['equal'], [7]])
})

test('a difference has exit code 1 and is never kept', async () => {
  const { code, recorded, printed } = await call(['unlike', '--record'])

  expect([code, recorded, printed.includes('unlike: 3 differences')]).toEqual([1, [], true])
})

test('a missing toolchain is one sentence without a stack, with exit code 3', async () => {
  const { code, printed } = await call(['missing'])

  expect([code, printed.split('\n').at(-1)]).toEqual([3, 'missing needs a tool, and `no-such-tool --version` failed.'])
})

test('a program that fails has exit code 1, also beside a missing toolchain', async () => {
  const { code, printed } = await call(['broken', 'missing'])

  expect([code, printed.includes('broken failed: Error: it broke')]).toEqual([1, true])
})

test('all runs every program', async () => {
  const { code, seeds } = await call(['all'])

  expect([code, seeds]).toEqual([1, [1, 1, 1, 1]])
})

test('a wrong call says its fault and has exit code 2', async () => {
  const calls = await Promise.all([['other'], ['--record'], ['equal', '--seed', 'x'], ['equal', '--loud']].map(call))

  const faults = calls.map(({ code, printed }) => [code, printed.split('\n')[0]!.split('.')[0]])
  expect(faults).toEqual([
    [2, 'no such name: other'],
    [2, 'a name is missing'],
    [2, '--seed takes a whole number'],
    [2, "Unknown option '--loud'"]
  ])
})

async function call(given: readonly string[]) {
  const lines: string[] = []
  const recorded: string[] = []
  const seeds: number[] = []
  const referee = (what: string, outcome: () => Outcome): Referee => ({
    what,
    needs: 'nothing',
    async run(seed) {
      seeds.push(seed)
      return outcome()
    }
  })
  const referees = {
    equal: referee('equal', () => outcomeWith(0)),
    unlike: referee('unlike', () => outcomeWith(3)),
    missing: referee('missing', () => {
      versionOf('no-such-tool', ['--version'], 'a tool')
      throw new MissingToolchainError('is not reached')
    }),
    broken: referee('broken', () => {
      throw new Error('it broke')
    })
  }
  const record = (name: string) => {
    recorded.push(name)
    return [`${name}.json`]
  }
  const code = await runCommand(given, { referees, print: text => void lines.push(text), record })
  return { code, printed: lines.join('\n'), recorded, seeds }
}

function outcomeWith(differences: number): Outcome {
  return { toolchain: 'Tool 1.0', comparisons: [{ program: 'Program 1.0', what: 'bytes', compared: 10, differences }] }
}
