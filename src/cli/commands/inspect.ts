/**
 * `inspect [FILE]`: the bytes of a Kinesis record taken apart.
 * Invariant: only flags are here; the work is loaded when it begins.
 */
import { Command, Option } from 'commander'
import type { CommandContext } from '../command.ts'
import type { InspectFlags } from '../inspect/run-inspect.ts'

const EXAMPLES = `
Examples:
  kinesis-producer inspect event.json
  echo 84mawgoBa... | kinesis-producer inspect -
  kinesis-producer inspect record.bin --in raw --json
`

export function define(context: CommandContext): Command {
  const command = new Command('inspect')
    .description(
      "Takes a Kinesis record apart: an aggregate's envelope, keys, sizes. Reads raw bytes, base64, hex, or a Lambda event."
    )
    .argument('[file]', '- or none: stdin')
    .addOption(
      new Option('--in <FORMAT>', 'what the input is')
        .choices(['auto', 'raw', 'base64', 'hex', 'event'])
        .default('auto')
    )
    .option('--range <FROM:TO>', 'hash keys of a shard: shows what a consumer of it drops')
    .addHelpText('after', EXAMPLES)
  return context.run<InspectFlags>(command, async (...args) =>
    (await import('../inspect/run-inspect.ts')).runInspect(...args)
  )
}
