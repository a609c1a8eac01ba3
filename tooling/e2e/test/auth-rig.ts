import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { inspect } from "node:util";
import { createTestRepository, git, temporaryDirectory } from "@tooling/test-kit";
import { type AccessLimits, openAccess } from "@x/access-rules";
import { createGitServices, type Logger } from "@x/server-core";
import { createRepositoryOpener, createWorkerPool, repositoriesUnder } from "@x/storage-fs";
import { createFetchHandler } from "@x/transport-http";
import { createNodeHttpServer } from "@x/transport-http/node";

/** As `htpasswd -nB -C 4` writes them. */
const HASHES = {
  ada: "$2y$04$xzbfwSMt6hmYrmR90Ktsk.XzmXqDeUoxP5jix/M9422ZaX6MGtjdy",
  bob: "$5$crDhQWAsvLLXgVx1$d.uQ9T9ntw/hLS1nfJepQGl2i9BCKJQCvJKrKtgS3I8",
  eve: "$6$rounds=1000$.MolwNrx.0gPQ23p$Hm1gOGdumtx4UZ0RLfsvVaV3oaSv0bEsENH8Ta.a83VFb7oGlqXJNmnf52sXPpBl49FTYvU4uj7skCs30E4Pb1",
};

/** `ada` may write, `bob` may read, `eve` may do neither. */
export const PASSWORDS = { ada: "pässword", bob: "bobs", eve: "carols" } as const;
export type User = keyof typeof PASSWORDS;
/** Ci's, who may write. */
export const TOKEN = "ci-token-0123456789-abcdef";

const RULES =
  "repo private private/**\n  read bob\n  write ada ci\nrepo public\n  read anyone\n  write ada\n";

/** A server with passwords, and all that it has logged. */
export interface Guarded {
  readonly url: string;
  readonly port: number;
  /** Everything, with the insides of errors. */
  log(): string;
  close(): Promise<void>;
}

/** A root with `public.git` and `private.git`. */
export async function guardedRoot(): Promise<string> {
  const root = temporaryDirectory("root");
  const source = await createTestRepository();
  await source.commit("one");
  for (const name of ["public", "private"])
    await git(["clone", "-q", "--bare", source.directory, join(root, `${name}.git`)]);
  return root;
}

/** Serves it over HTTP, smart and dumb. */
export async function serveGuarded(root: string, limits: Partial<AccessLimits> = {}): Promise<Guarded> {
  const directory = temporaryDirectory("rules");
  const usersFile = join(directory, "users");
  const accessFile = join(directory, "access");
  const token = createHash("sha256").update(TOKEN).digest("hex");
  const users = Object.entries(HASHES).map(([user, hash]) => `${user}:${hash}\n`);
  writeFileSync(usersFile, `${users.join("")}ci:$sha256$${token}\n`);
  writeFileSync(accessFile, RULES);
  const lines: string[] = [];
  const keep = (fields: object, message: string) =>
    void lines.push(inspect({ ...fields, message }, { depth: 9 }));
  const logger: Logger = { debug: keep, info: keep, warn: keep, error: keep };
  const access = await openAccess({
    usersFile,
    accessFile,
    logger,
    limits: { failureDelayMs: 50, ...limits },
  });
  const pool = createWorkerPool({ onWarning: () => {} });
  const opener = createRepositoryOpener(pool, {});
  const repositories = repositoriesUnder(root);
  const { service, dumb } = createGitServices({
    authorize: access.authorize,
    logger,
    async repositories({ repository }) {
      const layout = await repositories.find(repository);
      return layout && opener.open(layout);
    },
  });
  const handler = createFetchHandler({ service, dumb, logger, authentication: { realm: "our code" } });
  const server = createNodeHttpServer({ handler, port: 0, logger });
  const { port } = await server.listen();
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    log: () => lines.join("\n"),
    async close() {
      await server.close();
      await access.close();
      await pool.close();
    },
  };
}

/** The value of an `Authorization` header. */
export function basic(user: User, password: string = PASSWORDS[user]): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
}

/** An answer to the byte, but for the date. */
export interface RawAnswer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

/** One request on a connection of its own, with just these bytes. */
export function rawRequest(
  port: number,
  { method = "GET", target, headers = {}, body = "" }: RawRequest,
): Promise<RawAnswer> {
  const head = { Host: "h", Connection: "close", "Content-Length": String(body.length), ...headers };
  const lines = Object.entries(head).map(([name, value]) => `${name}: ${value}\r\n`);
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1");
    let answer = "";
    socket.on("error", reject);
    socket.on("data", (chunk) => {
      answer += chunk.toString("latin1");
    });
    socket.on("close", () => {
      const [top = "", ...rest] = answer.split("\r\n\r\n");
      const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(top)?.[1]);
      resolve({ status, head: top.replace(/^date: .*\r\n/im, ""), body: rest.join("\r\n\r\n") });
    });
    socket.write(`${method} ${target} HTTP/1.1\r\n${lines.join("")}\r\n${body}`, "latin1");
  });
}

/** What {@link rawRequest} sends. */
export interface RawRequest {
  readonly method?: string;
  readonly target: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}
