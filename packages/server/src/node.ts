/** @packageDocumentation Listens for a Git server under Node. */
export { type Listening, type ListenOptions, listen, type Transport } from "./node/listen.ts";
