// Git in a Hono application, here on Node. Elsewhere the handler is mounted the same way.
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { announce, directory, handlerFor, port } from "./repositories.mjs";

const app = new Hono();

const git = handlerFor(directory, "/git");
app.all("/git/*", (c) => {
  const { incoming } = c.env;
  // What Request has made of the URL is no longer what the client wrote.
  return git(c.req.raw, { rawTarget: incoming.url, peer: { address: incoming.socket.remoteAddress } });
});

// Behind something that has read the body, a request is made anew from its bytes.
const raw = handlerFor(directory, "/raw");
app.all("/raw/*", async (c) => {
  const { method, url, headers } = c.req.raw;
  const body = method === "POST" ? await c.req.arrayBuffer() : null;
  return raw(new Request(url, { method, headers, body }), { rawTarget: c.env.incoming.url });
});

// Without that there is nothing left to serve: 500, transport-http/body-taken.
const text = handlerFor(directory, "/text");
app.use("/text/*", async (c, next) => {
  await c.req.text();
  return next();
});
app.all("/text/*", (c) => text(c.req.raw, { rawTarget: c.env.incoming.url }));

app.get("/", (c) => c.text("hello\n"));

serve({ fetch: app.fetch, port: Number(port), hostname: "127.0.0.1" }, announce);
