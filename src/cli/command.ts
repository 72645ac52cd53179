/**
 * How a command registers: a module that is loaded only when its name was given, and hands out a commander Command.
 * Invariant: an action returns what happened; run-cli.ts alone writes the summary and errors, and chooses the exit code.
 */
import type { Command } from 'commander'
import type { ExitCode } from './exit-codes.ts'
import type { Json } from './output/json.ts'
import type { Session } from './session.ts'

/** The result of a command. */
export interface Outcome {
  readonly exit: ExitCode
  /** The fields of the summary beside `type`, `command`, `durationMs`, `exit` and `errors`. */
  readonly summary?: Readonly<Record<string, Json | undefined>> | undefined
  /** A last line for people on stderr; not with --json or --quiet. */
  readonly text?: string | undefined
}

/** The words behind the command's name as commander collected them: each a word, or the list of the rest. */
export type Words = readonly unknown[]

/** Returns the word at a place, or undefined when it was left out. */
export function wordAt(words: Words, place: number): string | undefined {
  const word = words[place]
  return typeof word === 'string' ? word : undefined
}

/** Returns the list at a place: that of `[FILE...]`. */
export function listAt(words: Words, place: number): readonly string[] {
  const list = words[place]
  return Array.isArray(list) ? list.map(String) : []
}

export type Action<Flags> = (session: Session, flags: Flags, words: Words) => Promise<Outcome>

/** The arguments of a command's module. */
export interface CommandContext {
  /** Attaches the action: the flags that it gets are the command's own, as commander parsed them. */
  readonly run: <Flags extends object>(command: Command, action: Action<Flags>) => Command
}

export interface CommandModule {
  define(context: CommandContext): Command
}

export interface CommandEntry {
  readonly name: string
  readonly summary: string
  readonly load: () => Promise<CommandModule>
}
