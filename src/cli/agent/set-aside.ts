/**
 * `--reset`: the state as it is now goes aside, and a first start follows.
 * Invariant: nothing is deleted, so what was damaged can still be looked at; the files of the reset before are overwritten.
 */
import { readdir, rename } from 'node:fs/promises'
import { join } from 'node:path'

const STATE_FILE = /^(?:snapshot\.json|snapshot\.json\.tmp|snapshot\.prev\.json|journal-\d+\.ndjson)$/

export async function setAside(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (STATE_FILE.test(name)) await rename(join(folder, name), join(folder, `before-reset-${name}`))
  }
}
