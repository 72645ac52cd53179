/**
 * The values of JSON, for summaries and progress.
 * Invariant: types only.
 */

/** Anything that JSON can say; a field that is undefined is left out. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json | undefined }
