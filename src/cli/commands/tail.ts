/**
 * `tail STREAM`: the user records of all shards, through splits and merges.
 * Invariant: only flags are here; the work is loaded when it begins.
 */
import { Command, Option } from 'commander'
import { durationMs, wholeNumber } from '../arguments/units.ts'
import type { CommandContext } from '../command.ts'
import type { TailFlags } from '../tail/tail-flags.ts'

const EXAMPLES = `
Examples:
  kinesis-producer tail orders
  kinesis-producer tail orders --from oldest --no-follow
  kinesis-producer tail orders --from -15m --out json --count 100 --idle-exit 5s
  kinesis-producer tail orders --from oldest --no-follow --format '%k\\t%v'
  kinesis-producer tail orders --from oldest --no-follow --filter '.type=created' --meta-only
  kinesis-producer tail orders --from oldest --no-follow --out records
`

export function define(context: CommandContext): Command {
  const command = new Command('tail')
    .description(
      'Prints the user records of a stream: de-aggregated, parents before children when shards split or merge.'
    )
    .argument('<stream>', 'name or ARN')
    .option('--from <PLACE>', 'latest, oldest, a time, or -15m', 'latest')
    .option('--to <TIME>', 'only records that arrived until then, of all shards; then end')
    .option('--no-follow', 'end at the newest record')
    .addOption(new Option('--count <N>', 'end after N records').argParser(text => wholeNumber(text, 1)))
    .addOption(new Option('--idle-exit <TIME>', 'end when no record came for so long').argParser(durationMs))
    .addOption(new Option('--shard <ID>', 'only these shards; may be repeated').default([]).argParser(collect))
    .option('--key <KEY>', 'only records of this partition key')
    .option('--grep <REGEX>', 'only records whose text matches')
    .option('--filter <EXPRESSION>', "only JSON records: '.a.b=v', '.a!=v', '.a~regex'")
    .addOption(
      new Option('--out <FORMAT>', 'what is printed').choices(['text', 'json', 'records', 'raw']).default('text')
    )
    .option('--format <TEXT>', '%k key %v data %s shard %q sequence %u sub-sequence %t arrival %n number; \\t \\n \\0')
    .addOption(new Option('--decode <HOW>', 'glue: take the frame of a Glue schema off').choices(['glue']))
    .option('--glue-endpoint <URL>', 'Glue endpoint, for VPC endpoints and local servers')
    .option('--gunzip', 'data that is gzip is unpacked')
    .option('--cwlogs', 'CloudWatch Logs subscriptions: a line for each log event')
    .option('--checkpoint <FILE>', 'go on where the last run ended; written after stdout took the lines')
    .addOption(
      new Option('--on-expired <POLICY>', 'when the checkpoint is of a former stream')
        .choices(['fail', 'oldest'])
        .default('fail')
    )
    .option('--dedupe', 'drop copies of records with dedupe tags')
    .option('--meta-only', 'no data')
    .option('--strict', 'end with 1 if an aggregate was malformed')
    .addHelpText('after', EXAMPLES)
  return context.run<TailFlags>(command, async (...args) => (await import('../tail/run-tail.ts')).runTail(...args))
}

function collect(text: string, before: readonly string[]): readonly string[] {
  return [...before, text]
}
