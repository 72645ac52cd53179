/**
 * From words to an exit code: finds the command, loads it alone, runs it, and tells how it ended.
 * Invariant: the only place where errors become exit codes; a bug in a command ends with 5 and never with 0.
 */
import { Command, CommanderError } from 'commander'
import { addGlobalFlags, commandNameOf, type GlobalFlags } from './arguments/global-flags.ts'
import { nearestOf } from './arguments/nearest.ts'
import type { Action, CommandContext, Outcome } from './command.ts'
import { COMMANDS } from './commands.ts'
import { CliError, shownError } from './errors.ts'
import { type ExitCode, worstOf } from './exit-codes.ts'
import type { Host } from './ports.ts'
import { Session } from './session.ts'

const NAME = 'kinesis-producer'
const HELP_EXAMPLES = `
Examples:
  seq 1 1000 | kinesis-producer put orders
  kinesis-producer tail orders --from oldest --no-follow
  kinesis-producer doctor orders

kinesis-producer COMMAND --help shows the flags and examples of a command. Exit codes: docs/cli.md.
`

/** Runs one command line; `argv` is without the program's own two words. Resolves with the exit code, never rejects. */
export async function runCli(given: readonly string[], host: Host): Promise<ExitCode> {
  // `help put` is what many type.
  const argv = given[0] === 'help' ? [...given.slice(1), '--help'] : given
  const parts: string[] = []
  const program = programFor(host, parts)
  const run = new Run(host, program)
  try {
    const name = commandNameOf(argv, program)
    for (const entry of COMMANDS) {
      const command = entry.name === name ? (await entry.load()).define(run.context) : new Command(entry.name)
      program.addCommand(inherit(command.summary(entry.summary), program))
    }
    const isEmpty = argv.length === 0
    if (isEmpty) throw new CliError('CLI_ERR_USAGE', `no command was given\n${program.helpInformation()}`)
    await program.parseAsync([...argv], { from: 'user' })
    await host.stdout.write(parts.join(''))
    return run.exit
  } catch (error) {
    await host.stdout.write(parts.join(''))
    if (error instanceof CommanderError) return usageExit(error, host, argv, program)
    return tell(error, host, argv)
  }
}

/** Runs the action that the command line chose. */
class Run {
  exit: ExitCode = 0
  readonly context: CommandContext
  readonly #host: Host
  readonly #program: Command

  constructor(host: Host, program: Command) {
    this.#host = host
    this.#program = program
    this.context = {
      run: (command, action) => withFlagNames(command).action((...words) => this.#act(command, action, words))
    }
  }

  async #act<Flags extends object>(command: Command, action: Action<Flags>, words: readonly unknown[]): Promise<void> {
    const host = this.#host
    const flags = this.#program.opts<GlobalFlags>()
    if (flags.profile !== undefined) host.useProfile(flags.profile)
    const session = new Session(host, pathOf(command, this.#program), flags)
    const startMs = host.clock.nowMs()
    let outcome: Outcome
    try {
      // Behind the words, commander hands over the flags and the command itself.
      outcome = await action(session, flagsOf<Flags>(command, this.#program), words.slice(0, -2))
    } catch (error) {
      const shown = shownError(error)
      session.errors.tell(shown.code, shown.message, shown.fix)
      outcome = { exit: shown.exit }
    }
    session.close()
    this.exit = worstOf([outcome.exit])
    const { counts } = session.errors
    if (flags.json === true) {
      const durationMs = Math.round(host.clock.nowMs() - startMs)
      const head = { type: 'summary', command: session.command, ...outcome.summary }
      await host.stdout.write(`${JSON.stringify({ ...head, durationMs, exit: this.exit, errors: counts })}\n`)
    } else if (outcome.text !== undefined) await session.note(outcome.text)
  }
}

function programFor(host: Host, parts: string[]): Command {
  const program = addGlobalFlags(new Command(NAME))
    .description('Amazon Kinesis Data Streams from the command line: KPL aggregation, order by key, honest exit codes.')
    .helpCommand(false)
    .addHelpText('after', HELP_EXAMPLES)
    .exitOverride()
    .configureHelp({ showGlobalOptions: true })
    // Commander writes synchronously; what it writes is kept until it can be awaited.
    .configureOutput({
      writeOut: text => void parts.push(text),
      writeErr: () => {},
      getOutHelpWidth: () => host.stdout.columns
    })
  return program.option('-V, --version', 'the version').on('option:version', () => {
    parts.push(`${host.version()}\n`)
    throw new CommanderError(0, 'commander.version', 'the version')
  })
}

/** A parser of values knows no flag: `--max-line: "1 parsec" is not a size`. */
function withFlagNames(command: Command): Command {
  for (const option of command.options) {
    const { parseArg, long } = option
    if (parseArg === undefined) continue
    option.argParser((text: string, before: unknown): unknown => {
      try {
        return parseArg.call(option, text, before)
      } catch (error) {
        if (!(error instanceof CliError) || error.message.includes(`${long}`)) throw error
        throw new CliError(error.code, `${long}: ${error.message}`, { cause: error, fix: error.fix })
      }
    })
  }
  return command
}

/** Commander hands its settings down only to commands that it makes itself. */
function inherit(command: Command, program: Command): Command {
  command.copyInheritedSettings(program)
  for (const below of command.commands) inherit(below, command)
  return command
}

/** Commander gives a flag that a command and one within it both have to the outer one, wherever it stands. */
function flagsOf<Flags extends object>(command: Command, program: Command): Flags {
  const { parent } = command
  const isOuter = parent === null || parent === program
  return { ...command.opts<Flags>(), ...(isOuter ? undefined : flagsOf<Flags>(parent, program)) }
}

function pathOf(command: Command, program: Command): string {
  const names: string[] = []
  for (let at: Command | null = command; at !== null && at !== program; at = at.parent) names.unshift(at.name())
  return names.join(' ')
}

async function usageExit(
  error: CommanderError,
  host: Host,
  argv: readonly string[],
  program: Command
): Promise<ExitCode> {
  const isAnswered = error.exitCode === 0
  if (isAnswered) return 0
  if (error.code === 'commander.help')
    return tell(new CliError('CLI_ERR_USAGE', 'a command within it is missing'), host, argv)
  const told = error.message.replace(/^error: /, '').replace(/\n\(/, ' (')
  const message = `${told}${told.includes('Did you mean') ? '' : hintOfFlag(told, program)}`
  const name = COMMANDS.find(entry => argv.includes(entry.name))?.name
  const fix = `see ${NAME}${name === undefined ? '' : ` ${name}`} --help`
  return tell(new CliError('CLI_ERR_USAGE', message, { fix }), host, argv)
}

/** Commander looks no further than a few letters: `--agregation` is meant for `--no-aggregation`. */
function hintOfFlag(message: string, program: Command): string {
  const [, flag] = /^unknown option '(--[^'=]+)/.exec(message) ?? []
  if (flag === undefined) return ''
  const known = [program, ...program.commands, ...program.commands.flatMap(({ commands }) => commands)]
  const flags = known.flatMap(({ options }) => options.flatMap(({ long }) => long ?? []))
  const nearest = nearestOf(
    flag.replace(/^--no-/, '--'),
    flags.map(name => name.replace(/^--no-/, '--'))
  )
  return nearest === undefined ? '' : ` (Did you mean ${flags.find(name => name.replace(/^--no-/, '--') === nearest)}?)`
}

/** With `--json` there is a summary, even if nothing began. */
async function tell(error: unknown, host: Host, argv: readonly string[]): Promise<ExitCode> {
  const { code, message, fix, exit } = shownError(error)
  await host.stderr.write(`error ${code}: ${message}\n${fix === undefined ? '' : `  fix: ${fix}\n`}`)
  if (argv.includes('--json')) {
    const command = COMMANDS.find(entry => argv.includes(entry.name))?.name
    const summary = { type: 'summary', command, durationMs: 0, exit, errors: { [code]: 1 } }
    await host.stdout.write(`${JSON.stringify(summary)}\n`)
  }
  return exit
}
