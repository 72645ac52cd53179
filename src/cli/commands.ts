/**
 * Every command: its name, its sentence in --help, and the module that is loaded when it is called.
 * Invariant: nothing of a command is loaded for the help of another; `--help` stays below 100 ms.
 */
import type { CommandEntry } from './command.ts'

export const COMMANDS: readonly CommandEntry[] = []
