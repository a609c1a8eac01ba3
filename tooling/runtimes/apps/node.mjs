import { listen } from "@x/server/node";
import { createNodeTools } from "@x/storage-memory/node";
import { createApp } from "./app.mjs";

const server = await listen(createApp(createNodeTools()), { http: {}, git: { port: 0 } });
console.log(
  JSON.stringify({ port: server.addresses.get("http").port, gitPort: server.addresses.get("git").port }),
);
