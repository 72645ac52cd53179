/**
 * `put STREAM [FILE...]`: stdin or files to a stream, once.
 * Invariant: only flags are here; the work is loaded when it begins.
 */
import { Command, Option } from 'commander'
import { rateOf, sizeBytes, wholeNumber } from '../arguments/units.ts'
import type { CommandContext } from '../command.ts'
import type { PutFlags } from '../put/put-flags.ts'
import { addSchemaFlags } from '../schema/schema-flags.ts'

const EXAMPLES = `
Examples:
  seq 1 1000 | kinesis-producer put orders
  kinesis-producer put orders events.ndjson --in ndjson --key .user.id
  kinesis-producer put orders rows.csv --in csv --key-column name
  kinesis-producer put orders events.ndjson --dead-letter failed.ndjson
  kinesis-producer put orders --in records failed.ndjson
  kinesis-producer put orders events.ndjson --key .user.id --dry-run --shards 4
  kinesis-producer put orders events.ndjson --schema order.json --dry-run
  kinesis-producer put orders --follow '/var/log/orders/*.log' --state /var/lib/orders
`
const MEBIBYTE = 1_048_576
const DEFAULT_SHARDS = 4

export function define(context: CommandContext): Command {
  const command = addKeyFlags(new Command('put'))
    .description(
      'Reads records from stdin or from files and puts them to a stream. Ends with 0 only if every one was acknowledged.'
    )
    .argument('<stream>', 'name or ARN')
    .argument('[files...]', 'files, - for stdin; default: stdin')
    .addOption(
      new Option('--in <FORMAT>', 'what the input is')
        .choices(['lines', 'ndjson', 'csv', 'records', 'file', 'u32'])
        .default('lines')
    )
    .option('--delimiter <TEXT>', 'between two lines instead of a newline; \\n \\t \\0 are understood')
    .option('--null', 'lines end in a zero byte')
    .option('--keep-cr', 'keep the carriage return before a newline')
    .option('--keep-newline', 'keep the newline in the data, as the Kinesis Agent does')
    .option('--csv-delimiter <TEXT>', 'between two columns', ',')
    .option('--header', 'the first row of CSV is a header and is not sent (implied by --key-column NAME)')
    .addOption(
      new Option('--bad-key <POLICY>', 'for a record without a usable key')
        .choices(['fail', 'random', 'skip'])
        .default('fail')
    )
    .option('--hash-key <PATH>', 'explicit hash key from JSON, a decimal number')
    .addOption(
      new Option('--max-record <POLICY>', 'for a record above maxUserRecordBytes')
        .choices(['fail', 'skip', 'truncate'])
        .default('fail')
    )
    .addOption(
      new Option('--max-line <SIZE>', 'longest line; longer ones fail, and are never split')
        .default(8 * MEBIBYTE, '8MiB')
        .argParser(sizeBytes)
    )
    .addOption(new Option('--ordering <MODE>', 'key: records of a key stay in order').choices(['none', 'key']))
    .option('--dedupe', 'write dedupe tags')
    .option('--no-aggregation', 'one Kinesis record for each record')
    .addOption(new Option('--rate <RATE>', 'at most so much: 500/s, 2MB/s').argParser(rateOf))
    .addOption(new Option('--count <N>', 'stop after N records').argParser(text => wholeNumber(text, 1)))
    .addOption(
      new Option('--skip <N>', 'pass over the first N records').default(0).argParser(text => wholeNumber(text))
    )
    .addOption(
      new Option('--on-failure <POLICY>', 'stop: read no more after the first failed record')
        .choices(['continue', 'stop'])
        .default('continue')
    )
    .option('--dead-letter <FILE>', 'append failed records, for put --in records')
    .addOption(
      new Option('--out <FORMAT>', 'outcomes: a JSON line for each record, in order')
        .choices(['none', 'outcomes'])
        .default('none')
    )
    .option('--tee', 'copy the input to stdout')
    .option('--dry-run', 'send nothing; count, and show how the keys spread')
    .addOption(
      new Option('--shards <N>', 'shards to assume in a dry run')
        .default(DEFAULT_SHARDS)
        .argParser(text => wholeNumber(text, 1))
    )
    .option('--gunzip', 'the input is gzip (files are looked at)')
    .option('--follow <GLOBS...>', 'follow these files as `agent` does, through rotation and restarts, until SIGTERM')
    .option('--state <DIR>', 'with --follow: state directory ($KINESIS_PRODUCER_STATE)')
    .addOption(
      new Option('--from <PLACE>', 'with --follow: where the files begin at the very first start (end)').choices([
        'start',
        'end'
      ])
    )
    .option('--once', 'with --follow: read every file to its end, and end when all is acknowledged')
    .addHelpText('after', EXAMPLES)
  addSchemaFlags(command)
  return context.run<PutFlags>(command, async (session, flags, words) =>
    flags.follow === undefined
      ? (await import('../put/run-put.ts')).runPut(session, flags, words)
      : (await import('../agent/run-put-follow.ts')).runPutFollow(session, flags, words)
  )
}

/** The flags that choose the partition key; `gen` has the same. */
export function addKeyFlags(command: Command): Command {
  return command
    .option('--key <PATH>', 'partition key from JSON: .user.id, .items[0]')
    .option('--key-const <TEXT>', 'one partition key for all')
    .option('--key-regex <REGEX>', 'partition key: what its first group matches')
    .option('--key-column <COLUMN>', 'partition key from a column of CSV, by name or from 1')
    .option('--key-split <TEXT>', 'lines are key, TEXT, data')
    .option('--key-path', "partition key: the file's path")
    .addOption(new Option('--key-hash <ALGORITHM>', 'partition key: hash of the data').choices(['md5', 'sha256']))
    .option('--key-random', 'one of 4,096 random keys (default)')
}
