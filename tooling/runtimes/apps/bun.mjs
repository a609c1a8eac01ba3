import { createApp } from "./app.mjs";

const { fetch } = createApp();
const server = globalThis.Bun.serve({ hostname: "127.0.0.1", port: 0, idleTimeout: 0, fetch });
console.log(JSON.stringify({ port: server.port }));
