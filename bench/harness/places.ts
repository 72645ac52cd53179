/**
 * Where things are, for code that runs from `build/bench`.
 * Invariant: a folder of the project is found from the place of this file, never from the working directory.
 */
import { fileURLToPath } from 'node:url'

/** The project, or the copy of it that a comparison built. */
export const PROJECT: string = fileURLToPath(new URL('../../../', import.meta.url))
export const RESULTS: string = `${PROJECT}bench/results/`
export const PEERS: string = `${PROJECT}bench/peers/`
export const KPL: string = `${PROJECT}bench/kpl/`
