/**
 * The lock's view of the directory and of the machine's processes; the real ones are in node-lock.ts.
 * Invariant: types only.
 */

/** A process, as far as a machine can tell it from every other one. */
export interface Process {
  readonly pid: number
  readonly host: string
  /** Of this run of the machine (Linux). */
  readonly bootId: string | undefined
  /** In the machine's own ticks (Linux): a pid that is given again has another. */
  readonly startedAt: string | undefined
  /** The pid namespace (Linux): containers count their processes each from 1. */
  readonly space: string | undefined
}

export interface ProcessTable {
  self(): Process
  /** `unknown`: it is on another machine, in another container, or the machine does not tell processes apart. */
  stateOf(process: Process): 'alive' | 'gone' | 'unknown'
}

/** The calls on the state directory. A missing file is `undefined` or false, never an error. */
export interface LockDirectory {
  /** Makes a new file; false when there is one. */
  create(name: string, text: string): Promise<boolean>
  read(name: string): Promise<string | undefined>
  mtimeMs(name: string): Promise<number | undefined>
  /** Sets the time of a file to the file system's now, which may be another machine's: writes the same text over the old. */
  touch(name: string, text: string): Promise<void>
  /** Returns the file system's now: makes a file, looks at it and removes it. */
  touchProbe(name: string): Promise<number>
  rename(from: string, to: string): Promise<boolean>
  remove(name: string): Promise<void>
}
