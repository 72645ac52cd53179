/**
 * `serve`: the fake Kinesis of `kinesis-producer/testing` on a port, for trying things out.
 * Invariant: only flags are here; the work is loaded when it begins.
 */
import { Command, Option } from 'commander'
import { durationMs, fraction, wholeNumber } from '../arguments/units.ts'
import type { CommandContext } from '../command.ts'
import type { ServeFlags } from '../serve/run-serve.ts'

const EXAMPLES = `
Examples:
  kinesis-producer serve --stream orders:2
  kinesis-producer serve --port 0 --stream orders:4 --throttle 10% --latency 50ms
  kinesis-producer serve --port 0 --stream orders:1 --fault PutRecords:500:1% --seed 7

In another terminal: seq 1 1000 | kinesis-producer put orders --local
`
const DEFAULT_PORT = 4567
const MAX_PORT = 65_535

export function define(context: CommandContext): Command {
  const command = new Command('serve')
    .description(
      'Serves a fake Kinesis until it is stopped. Signatures are not checked. One JSON line says when it is ready, and where.'
    )
    .addOption(
      new Option('--port <N>', '0: a free one').default(DEFAULT_PORT).argParser(text => wholeNumber(text, 0, MAX_PORT))
    )
    .option('--host <HOST>', 'address to listen on', '127.0.0.1')
    .option('--expose', 'allow a --host that others can reach')
    .addOption(new Option('--stream <NAME:SHARDS>', 'a stream; may be repeated').default([]).argParser(collect))
    .addOption(new Option('--throttle <PART>', 'part of the records that is throttled: 10%').argParser(fraction))
    .addOption(new Option('--latency <TIME>', 'wait before each answer').argParser(durationMs))
    .addOption(
      new Option('--fault <OPERATION:STATUS:PART>', 'PutRecords:500:1%, GetRecords:400:5%; may be repeated')
        .default([])
        .argParser(collect)
    )
    .option('--no-limits', 'shards take more than 1 MiB/s and 1,000 records/s')
    .option('--seed <TEXT>', 'of the faults', '0')
    .option('--tls-key <FILE>', 'PEM; with --tls-cert the server speaks TLS')
    .option('--tls-cert <FILE>', 'PEM')
    .addHelpText('after', EXAMPLES)
  return context.run<ServeFlags>(command, async (session, flags) =>
    (await import('../serve/run-serve.ts')).runServe(session, flags)
  )
}

function collect(text: string, before: readonly string[]): readonly string[] {
  return [...before, text]
}
