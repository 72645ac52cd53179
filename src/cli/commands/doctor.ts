/**
 * `doctor [STREAM]`: checks, each with what to do.
 * Invariant: only flags are here; the work is loaded when it begins.
 */
import { Command } from 'commander'
import type { CommandContext } from '../command.ts'
import type { DoctorFlags } from '../doctor/run-doctor.ts'
import { addSchemaPlaceFlags } from '../schema/schema-flags.ts'

const EXAMPLES = `
Examples:
  kinesis-producer doctor
  kinesis-producer doctor orders
  kinesis-producer doctor orders --write --read --json
  kinesis-producer doctor orders --schema order.avsc
  kinesis-producer doctor --config agent.jsonc
`

export function define(context: CommandContext): Command {
  const command = new Command('doctor')
    .description(
      'Checks Node.js, region, credentials, clock, endpoint, stream and permissions, with --config also the flows of agent, and says how to repair each.'
    )
    .argument('[stream]', 'name or ARN')
    .option('--write', 'put one record of one byte, to check PutRecords')
    .option('--read', 'read from one shard, to check GetRecords')
    .option('--state <DIR>', 'state directory of agent, to check it (that of --config)')
    .addHelpText('after', EXAMPLES)
  addSchemaPlaceFlags(command)
  return context.run<DoctorFlags>(command, async (...args) =>
    (await import('../doctor/run-doctor.ts')).runDoctor(...args)
  )
}
