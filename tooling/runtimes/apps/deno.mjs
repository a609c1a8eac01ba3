import { createApp } from "./app.mjs";

const { fetch } = createApp();
const onListen = ({ port }) => console.log(JSON.stringify({ port }));
globalThis.Deno.serve({ hostname: "127.0.0.1", port: 0, onListen }, fetch);
