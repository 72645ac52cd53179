/**
 * The exit codes of every command, in one table.
 * Example: 3 of 100 records failed and the dead letter file cannot be written: 1 and 4 apply, and the code is 4.
 * Invariant: 0 is returned only when everything that was asked for happened; docs/cli.md prints this table.
 */

export const EXIT_CODES = {
  0: 'Everything asked for happened. For put, agent and gen: every record read was acknowledged, or skipped by a policy that the flags or the config name.',
  1: 'The command ran to its end, and some records failed, for `put` and `gen` also those that expired (`recordTtlMs`, 120 s) while Kinesis could not be reached; for `agent`: a record that can never be sent stopped it; for `agent check`: a file was not sent in full; for `agent import`: something has no equivalent here; for `doctor`: a check failed; for `inspect`: malformed bytes.',
  2: 'A flag, the config file, a template or an expression is wrong. Nothing was sent.',
  3: 'The service refused to begin or to go on: no credentials, no permission, no such stream, no region, or it cannot be reached.',
  4: 'Something on this machine: an input file cannot be read, an output cannot be written, a checkpoint or a state is damaged or cannot be saved, another process holds the lock, the disk is full.',
  5: 'A bug in this program.',
  130: 'SIGINT came twice, or the drain deadline passed after SIGINT with records not acknowledged.',
  143: 'SIGTERM came twice, or the drain deadline passed after SIGTERM with records not acknowledged.'
} as const satisfies Readonly<Record<number, string>>

export type ExitCode = keyof typeof EXIT_CODES

/** The exit code is the first of this list that applies. */
const WORST_FIRST: readonly ExitCode[] = [130, 143, 5, 4, 3, 2, 1, 0]

/** Returns the worst of the codes that apply; 0 for none. */
export function worstOf(codes: readonly ExitCode[]): ExitCode {
  return WORST_FIRST.find(code => codes.includes(code)) ?? 0
}
