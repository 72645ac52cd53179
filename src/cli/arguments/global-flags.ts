/**
 * The flags that every command takes, before or after its name.
 * Invariant: no flag takes a secret, because everybody on the machine can read a command line.
 */
import { type Command, Option } from 'commander'
import { durationMs } from './units.ts'

export type ProgressMode = 'auto' | 'tty' | 'plain' | 'json' | 'none'

export interface GlobalFlags {
  readonly region?: string
  readonly profile?: string
  readonly endpoint?: string
  readonly allowInsecureEndpoint?: boolean
  readonly local?: boolean
  readonly config?: string
  readonly set: readonly string[]
  readonly kplProperties?: string
  readonly json?: boolean
  readonly quiet?: boolean
  readonly verbose?: boolean
  readonly progress: ProgressMode
  readonly color: boolean
  readonly drain: number
}

const DEFAULT_DRAIN_MS = 30_000

export function addGlobalFlags(program: Command): Command {
  return program
    .option('--region <NAME>', 'AWS region (as the AWS SDK finds it)')
    .option('--profile <NAME>', 'profile of ~/.aws/config')
    .option('--endpoint <URL>', 'Kinesis endpoint, for VPC endpoints and local servers')
    .option('--allow-insecure-endpoint', 'allow a plain http endpoint that is not on this machine')
    .option('--local', 'use `kinesis-producer serve` of this machine: its endpoint, any region, no credentials')
    .option('--config <FILE>', 'config file: JSON with comments')
    .addOption(
      new Option('--set <NAME=VALUE>', 'any option of the producer; may be repeated').default([]).argParser(collect)
    )
    .option('--kpl-properties <FILE>', "options from a KPL's .properties file")
    .option('--json', 'a JSON summary as the last line of stdout')
    .option('--quiet', 'errors only on stderr')
    .option('--verbose', "the library's log on stderr")
    .addOption(
      new Option('--progress <MODE>', 'how progress is shown on stderr')
        .choices(['auto', 'tty', 'plain', 'json', 'none'])
        .default('auto')
    )
    .option('--no-color', 'no colours; NO_COLOR does the same')
    .addOption(
      new Option('--drain <TIME>', 'wait for answers after SIGINT or SIGTERM (30s)')
        .default(DEFAULT_DRAIN_MS, '30s')
        .argParser(durationMs)
    )
}

/** Returns the command's name: the first word that is neither a flag nor the value of one. */
export function commandNameOf(argv: readonly string[], program: Command): string | undefined {
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i]!
    if (word === '--') return argv[i + 1]
    if (!word.startsWith('-')) return word
    const takesValue = program.options.some(option => option.long === word && option.required)
    if (takesValue) i++
  }
  return undefined
}

function collect(text: string, before: readonly string[]): readonly string[] {
  return [...before, text]
}
