/** @packageDocumentation Runs a fetch-style handler under `node:http`. */
export { type NodeListenerOptions, toNodeListener } from "./node/listener.ts";
export {
  createNodeHttpServer,
  type NodeHttpServer,
  type NodeHttpServerOptions,
  type NodeServerLimits,
  type TlsIdentity,
} from "./node/server.ts";
