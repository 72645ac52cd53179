/**
 * Runs an entry of this folder in a process of its own: with other flags of Node's, or with other built-in prototypes.
 * Invariant: the process has ended and its bundle is gone when the answer is there.
 */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { rolldown } from 'rolldown'

const MAX_ANSWER_BYTES = 1 << 20

/** Returns what the file `name` of this folder printed as JSON. `environment` is added to this process's. */
export async function answerOf(
  name: string,
  flags: readonly string[],
  environment: Readonly<Record<string, string>>
): Promise<unknown> {
  const folder = mkdtempSync(join(tmpdir(), 'fuzz-'))
  try {
    // Node 20 does not read TypeScript.
    const build = await rolldown({ input: join(import.meta.dirname, name), external: [/^node:/] })
    const file = join(folder, 'entry.mjs')
    await build.write({ file, format: 'esm' })
    await build.close()
    const { stdout } = await promisify(execFile)(process.execPath, [...flags, file], {
      env: { ...process.env, ...environment },
      maxBuffer: MAX_ANSWER_BYTES
    })
    return JSON.parse(stdout)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
