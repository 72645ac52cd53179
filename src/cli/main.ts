/**
 * The program `kinesis-producer`, alias `kpl`.
 * Invariant: the process ends by the exit code of the command, once all of its output was taken.
 */
import { processHost } from './process-host.ts'
import { runCli } from './run-cli.ts'

process.exit(await runCli(process.argv.slice(2), processHost()))
