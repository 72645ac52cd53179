/** A logger that says nothing, so that a test's output is the test's. */
export const SILENT = { debug() {}, info() {}, warn() {}, error() {} }
