/**
 * `gen STREAM`: records of a template at a rate, or as a load test.
 * Invariant: only flags are here; the work is loaded when it begins.
 */
import { Command, Option } from 'commander'
import { durationMs, rateOf, wholeNumber } from '../arguments/units.ts'
import type { CommandContext } from '../command.ts'
import type { GenFlags } from '../gen/gen-flags.ts'
import { addSchemaFlags } from '../schema/schema-flags.ts'
import { addKeyFlags } from './put.ts'

const EXAMPLES = `
Examples:
  kinesis-producer gen orders --template '{"id":{{seq}},"at":"{{date.utc}}"}' --sample 3
  kinesis-producer gen orders --template '{"id":"{{uuid}}"}' --rate 100/s --duration 1s
  kinesis-producer gen orders --template orders.tmpl --key .id --rate max --count 1000 --report load.html
  kinesis-producer gen orders --template orders.tmpl --rate-profile week.json --sim-start 2026-11-23 --sim-end 2026-11-24 --seed 7 --sample 2

Helpers: seq now uuid date.now date.utc date.simTime random.number random.float random.boolean random.uuid
random.alphaNumeric random.hex random.arrayElement random.weightedArrayElement gauss walk pick zipf; those of
@faker-js/faker 10 and the names of the Kinesis Data Generator when that package is installed.
`
const DEFAULT_TICK_MS = 5000
const DEFAULT_WAIT_MS = 100
const MAX_WORKERS = 64

export function define(context: CommandContext): Command {
  const command = addKeyFlags(new Command('gen'))
    .description(
      'Generates records from a template: open loop, by an absolute schedule, and says when it falls behind.'
    )
    .argument('<stream>', 'name or ARN')
    .requiredOption('--template <TEXT>', 'a file, or the template itself: {{name}}, {{name(args)}}')
    .addOption(new Option('--rate <RATE>', '500/s, or max (10/s)').argParser(rateOf))
    .option('--rate-profile <FILE>', 'a rate for each hour of the week')
    .addOption(new Option('--count <N>', 'end after N records').argParser(text => wholeNumber(text, 1)))
    .addOption(new Option('--duration <TIME>', 'end after that time').argParser(durationMs))
    .option('--seed <TEXT>', 'same seed and simulated time, same bytes')
    .addOption(new Option('--sample <N>', 'print N records and send nothing').argParser(text => wholeNumber(text, 1)))
    .option('--gzip', 'each record is compressed; without newline')
    .option('--newline', 'a newline at the end of each record')
    .option(
      '--kdg',
      "take the newlines out of the template, as the Kinesis Data Generator does; '--newline' is implied"
    )
    .option('--sim-start <TIME>', 'simulate time from here')
    .option('--sim-end <TIME>', 'to here, then end')
    .addOption(
      new Option('--sim-tick <TIME>', 'so much simulated time at once')
        .default(DEFAULT_TICK_MS, '5s')
        .argParser(durationMs)
    )
    .addOption(new Option('--sim-wait <TIME>', 'then wait').default(DEFAULT_WAIT_MS, '100ms').argParser(durationMs))
    .addOption(
      new Option('--workers <N>', 'threads, each with a producer and its part of the records')
        .default(1)
        .argParser(text => wholeNumber(text, 1, MAX_WORKERS))
    )
    .option('--locale <NAME>', "faker's locale: de, pt_BR")
    .option(
      '--report <FILE>',
      'a load test: percentiles, throttles and the rate reached as an HTML page; - for the table alone'
    )
    .addHelpText('after', EXAMPLES)
  addSchemaFlags(command)
  return context.run<GenFlags>(command, async (...args) => (await import('../gen/run-gen.ts')).runGen(...args))
}
