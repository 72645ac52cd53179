/**
 * `agent`: follows files, and the commands about it: `import`, `check`, `status`.
 * Invariant: only flags are here; the work is loaded when it begins.
 */
import { Command, Option } from 'commander'
import type { CommandContext } from '../command.ts'
import type { AgentFlags } from './run-agent.ts'
import type { CheckFlags } from './run-check.ts'
import type { ImportFlags } from './run-import.ts'
import type { StateFlags } from './state-place.ts'

const EXAMPLES = `
Examples:
  kinesis-producer agent --config agent.jsonc
  kinesis-producer agent --config agent.jsonc --once
  kinesis-producer agent check --config agent.jsonc /var/log/app.log.1
  kinesis-producer agent status --state /var/lib/kinesis-producer
  kinesis-producer agent --config /etc/aws-kinesis/agent.json
  kinesis-producer agent import /etc/aws-kinesis/agent.json > agent.jsonc
`
const IMPORT_EXAMPLES = `
Examples:
  kinesis-producer agent import /etc/aws-kinesis/agent.json > agent.jsonc
  kinesis-producer agent import /etc/aws-kinesis/agent.json --strict --skip-firehose
`
const CHECK_EXAMPLES = `
Examples:
  kinesis-producer agent check --config agent.jsonc /var/log/app.log.1
  kinesis-producer agent check --state /var/lib/kinesis-producer /var/log/app.log.1 && rm /var/log/app.log.1
`
const STATUS_EXAMPLES = `
Examples:
  kinesis-producer agent status --config agent.jsonc
  kinesis-producer agent status --state /var/lib/kinesis-producer --json
`
const STATE = 'state directory ($KINESIS_PRODUCER_STATE, or that of the config file)'

export function define(context: CommandContext): Command {
  const command = new Command('agent')
    .description(
      'Follows the files of a config file, through rotation and restarts, and sends each line at least once. Runs until SIGTERM.'
    )
    .option('--once', 'read every file to its end, its last line too, and end when all is acknowledged')
    .option('--state <DIR>', STATE)
    .addOption(
      new Option(
        '--reset <PLACE>',
        'give up a state that is damaged, and begin at the start or end of all files'
      ).choices(['start', 'end'])
    )
    .option('--skip-firehose', "leave out flows to Firehose of a Kinesis Agent's file")
    .addHelpText('after', EXAMPLES)
  const importing = new Command('import')
    .description("Prints the config file for a Kinesis Agent's agent.json, and says on stderr what became of each key.")
    .argument('<agent.json>', '- for stdin')
    .option('--strict', 'end with 1 if there are unknown keys')
    .option('--skip-firehose', 'do not end with 1 for flows to Firehose')
    .summary('a config of the Kinesis Agent as one of ours')
    .addHelpText('after', IMPORT_EXAMPLES)
  const checking = new Command('check')
    .description(
      'Ends with 0 if each file was sent and acknowledged to its end, for instance before a rotated file is deleted.'
    )
    .argument('<files...>', 'paths')
    .option('--state <DIR>', STATE)
    .summary('whether files were sent in full')
    .addHelpText('after', CHECK_EXAMPLES)
  const status = new Command('status')
    .description(
      'Prints what the state directory says of each file: how far it was acknowledged, and how much is left.'
    )
    .option('--state <DIR>', STATE)
    .summary('how far each file was sent')
    .addHelpText('after', STATUS_EXAMPLES)
  context.run<AgentFlags>(command, async (session, flags) => (await import('./run-agent.ts')).runAgent(session, flags))
  context.run<ImportFlags>(importing, async (...args) => (await import('./run-import.ts')).runImport(...args))
  context.run<CheckFlags>(checking, async (...args) => (await import('./run-check.ts')).runCheck(...args))
  context.run<StateFlags>(status, async (session, flags) => (await import('./run-status.ts')).runStatus(session, flags))
  return command.addCommand(importing).addCommand(checking).addCommand(status)
}
