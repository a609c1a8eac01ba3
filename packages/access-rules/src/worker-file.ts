/**
 * The built worker: it lies in `dist` for the built package and for its sources alike, and so this file has to stay
 * one step below the package's directory, as what is built from it does.
 */
export const WORKER_FILE: URL = new URL("../dist/password-worker.js", import.meta.url);
