/**
 * The golden records of proto/vectors/, typed, and helpers to build hostile ones.
 * Invariant: every entry of the file is given out; none is left out here.
 */
import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
