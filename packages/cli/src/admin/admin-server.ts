import { createHash, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Logger } from "@x/server-core";
import type { Listener } from "../serve/listen.ts";

/** What the admin's port shows. */
export interface AdminServerOptions {
  readonly host: string;
  readonly port: number;
  /** What has to be shown for `/metrics`, as a bearer's token. */
  readonly token: string | undefined;
  /** @returns why the server is not ready; `undefined` when it is */
  readonly notReady: () => Promise<string | undefined>;
  readonly metrics: { readonly contentType: string; readonly page: () => Promise<string> };
  readonly logger: Logger;
}

/** Longer is no request that anybody here has to make. Unit: milliseconds. */
const REQUEST_MS = 10_000;
const MAX_CONNECTIONS = 64;

/** Answers those who look after the server: whether it lives, whether it is ready, and its figures. */
export function createAdminServer(options: AdminServerOptions): Listener {
  const server = createServer(
    { requestTimeout: REQUEST_MS, headersTimeout: REQUEST_MS, keepAliveTimeout: REQUEST_MS },
    (request, reply) => {
      request.resume();
      answer(options, request, reply).catch((error: unknown) => {
        options.logger.error({ error }, "an admin's request failed");
        if (reply.headersSent) reply.destroy();
        else send(reply, 500, "internal server error\n");
      });
    },
  );
  server.maxConnections = MAX_CONNECTIONS;
  return {
    listen: () =>
      new Promise((resolve, reject) => {
        server.once("error", reject);
        server.listen({ host: options.host, port: options.port }, () => {
          server.off("error", reject);
          server.on("error", (error) => options.logger.error({ error }, "the admin's port failed"));
          const address = server.address();
          if (address === null || typeof address === "string") reject(new Error("no TCP address"));
          else resolve({ host: address.address, port: address.port });
        });
      }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(
  { token, notReady, metrics }: AdminServerOptions,
  request: IncomingMessage,
  reply: ServerResponse,
): Promise<void> {
  const [path] = (request.url ?? "/").split("?", 1);
  if (path !== "/livez" && path !== "/readyz" && path !== "/metrics") return send(reply, 404, "not found\n");
  if (request.method !== "GET" && request.method !== "HEAD")
    return send(reply, 405, "method not allowed\n", { allow: "GET, HEAD" });
  if (path === "/livez") return send(reply, 200, "ok\n");
  if (path === "/readyz") {
    const reason = await notReady();
    return reason === undefined ? send(reply, 200, "ok\n") : send(reply, 503, `${reason}\n`);
  }
  if (token !== undefined && !isBearer(request.headers.authorization, token))
    return send(reply, 401, "a token is required\n", { "www-authenticate": 'Bearer realm="metrics"' });
  return send(reply, 200, await metrics.page(), { "content-type": metrics.contentType });
}

function send(
  reply: ServerResponse,
  status: number,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  reply.writeHead(status, {
    "content-type": "text/plain; charset=utf-8",
    "content-length": Buffer.byteLength(text),
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    ...headers,
  });
  // For HEAD node leaves the text out.
  reply.end(text);
}

/** Compares in a time that tells nothing of the token. */
function isBearer(header: string | undefined, token: string): boolean {
  const [, shown = ""] = /^Bearer +(\S+)$/i.exec(header ?? "") ?? [];
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(shown), digest(token));
}
