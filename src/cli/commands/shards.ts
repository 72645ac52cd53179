/**
 * `shards STREAM`: the shard map, where a key goes, and how the keys of a file spread.
 * Invariant: only flags are here; the work is loaded when it begins.
 */
import { Command, Option } from 'commander'
import type { CommandContext } from '../command.ts'
import type { ShardsFlags } from '../shards/run-shards.ts'
import { addKeyFlags } from './put.ts'

const EXAMPLES = `
Examples:
  kinesis-producer shards orders
  kinesis-producer shards orders --of-key customer-42
  kinesis-producer shards orders --from events.ndjson --key .user.id --json
`

export function define(context: CommandContext): Command {
  const command = addKeyFlags(new Command('shards'))
    .description('Shows the shards of a stream with their ranges and parents, and which shard keys go to.')
    .argument('<stream>', 'name or ARN')
    .option('--all', 'closed shards too')
    .addOption(
      new Option('--of-key <KEY>', 'the shard of a partition key; may be repeated').default([]).argParser(collect)
    )
    .option('--of-hash-key <NUMBER>', 'the shard of an explicit hash key')
    .option('--from <FILE>', 'how the keys of these lines spread, and the hottest ones')
    .addHelpText('after', EXAMPLES)
  return context.run<ShardsFlags>(command, async (...args) =>
    (await import('../shards/run-shards.ts')).runShards(...args)
  )
}

function collect(text: string, before: readonly string[]): readonly string[] {
  return [...before, text]
}
