/**
 * The call `npm run referee -- NAME ... | all [--seed N] [--record]`.
 * Invariant: exit code 0 without a difference; 1 for a difference or a failure; 2 for a wrong call; 3 if a toolchain is missing.
 */
import { parseArgs } from 'node:util'
import { type Comparison, MissingToolchainError, type Outcome, type Referee } from './outcome.ts'

export interface CommandWorld {
  readonly referees: Readonly<Record<string, Referee>>
  readonly print: (text: string) => void
  /** Keeps the outcome of a run without a difference, and returns the files that it wrote. */
  readonly record: (name: string, outcome: Outcome) => readonly string[]
}

interface Call {
  readonly names: readonly string[]
  readonly seed: number
  readonly isRecording: boolean
}

export const EXIT = { equal: 0, failed: 1, usage: 2, missing: 3 } as const

/** Returns the exit code. */
export async function runCommand(given: readonly string[], world: CommandWorld): Promise<number> {
  if (given.length === 0) {
    world.print(listOf(world.referees))
    return EXIT.equal
  }
  const call = readCall(given, world.referees)
  if (typeof call === 'string') {
    world.print(`${call}\n\n${listOf(world.referees)}`)
    return EXIT.usage
  }
  const codes: number[] = []
  for (const name of call.names) codes.push(await judge(name, call, world))
  // A difference says more than a missing tool.
  return codes.includes(EXIT.failed) ? EXIT.failed : Math.max(...codes)
}

/** Returns the fault of a wrong call as text. */
function readCall(given: readonly string[], referees: CommandWorld['referees']): Call | string {
  const options = { seed: { type: 'string', default: '1' }, record: { type: 'boolean', default: false } } as const
  try {
    const { values, positionals } = parseArgs({ args: [...given], options, allowPositionals: true })
    const names = positionals.includes('all') ? Object.keys(referees) : positionals
    const unknown = names.filter(name => !Object.hasOwn(referees, name))
    if (names.length === 0) return 'a name is missing'
    if (unknown.length > 0) return `no such name: ${unknown.join(', ')}`
    if (!/^\d+$/.test(values.seed)) return '--seed takes a whole number'
    return { names, seed: Number(values.seed), isRecording: values.record }
  } catch (error) {
    return messageOf(error)
  }
}

async function judge(name: string, { seed, isRecording }: Call, world: CommandWorld): Promise<number> {
  const { what, run } = world.referees[name]!
  world.print(`\n${name}: ${what}, seed ${seed}`)
  try {
    const outcome = await run(seed)
    world.print(textTable(outcome.comparisons))
    const differences = outcome.comparisons.reduce((sum, comparison) => sum + comparison.differences, 0)
    if (differences > 0) {
      world.print(`${name}: ${differences} differences`)
      return EXIT.failed
    }
    world.print(`${name}: no difference, with ${outcome.toolchain}`)
    if (isRecording) world.print(`wrote ${world.record(name, outcome).join(', ')}; now run npm run docs`)
    return EXIT.equal
  } catch (error) {
    if (error instanceof MissingToolchainError) {
      world.print(`${name} ${error.message}`)
      return EXIT.missing
    }
    world.print(`${name} failed: ${error instanceof Error ? error.stack : error}`)
    return EXIT.failed
  }
}

function listOf(referees: CommandWorld['referees']): string {
  const names = Object.entries(referees).map(
    ([name, { what, needs }]) => `  ${name.padEnd(9)} ${what}; needs ${needs}\n`
  )
  return (
    `npm run referee -- NAME ... | all [--seed N] [--record]\n\n${names.join('')}\n` +
    '--record keeps the results and the bytes of the other program in test/referee.\n' +
    'Exit codes: 0 no difference, 1 a difference or a failure, 2 a wrong call, 3 a missing tool.'
  )
}

function textTable(comparisons: readonly Comparison[]): string {
  const rows = [
    ['program', 'what', 'compared', 'differences'],
    ...comparisons.map(({ program, what, compared, differences }) => [
      program,
      what,
      String(compared),
      String(differences)
    ])
  ]
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map(row => row[column]!.length)))
  const lines = rows.map(row =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd()
  )
  const notes = comparisons.flatMap(({ program, what, note }) => (note ? [`  ${program}, ${what}: ${note}`] : []))
  return [...lines, ...notes].join('\n')
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
