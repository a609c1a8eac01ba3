import { connect, type Socket } from "node:net";
import type { GitService, Logger } from "@x/server-core";
import ssh2, { type ClientChannel, type ClientConnection } from "ssh2";
import { onTestFinished } from "vitest";
import {
  type Authenticate,
  authenticateByKeys,
  createSshGitServer,
  parseAuthorizedKeys,
  parseHostKey,
  type SshGitServer,
  type SshGitServerOptions,
  type SshLimits,
} from "../src/index.ts";

const pair = (comment: string) => ssh2.utils.generateKeyPairSync("ed25519", { comment });
export const ADA: { private: string; public: string } = pair("ada laptop");
export const BOB: { private: string; public: string } = pair("bob");
export const MALLORY: { private: string; public: string } = pair("mallory");

const HOST_KEY = parseHostKey(pair("host").private);

export const LISTED: Authenticate = authenticateByKeys(parseAuthorizedKeys(`${ADA.public}\n${BOB.public}\n`));

/** Gives back what it reads. */
export const echo: GitService = (call) => call.input;

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

export interface Rig {
  readonly port: number;
  readonly server: SshGitServer;
  readonly lines: Record<string, unknown>[];
}

/** A server for one test, and what it logs. */
export async function start(
  service: GitService,
  limits: Partial<SshLimits> = {},
  authenticate: Authenticate = LISTED,
  metrics?: SshGitServerOptions["metrics"],
): Promise<Rig> {
  const lines: Record<string, unknown>[] = [];
  const keep = (fields: object, message: string) => void lines.push({ ...fields, message });
  const logger: Logger = { debug: keep, info: keep, warn: keep, error: keep };
  const server = createSshGitServer({
    service,
    hostKeys: [HOST_KEY],
    authenticate,
    port: 0,
    logger,
    metrics,
    limits,
  });
  const { port } = await server.listen();
  onTestFinished(() => server.close());
  return { port, server, lines };
}

/** A client that has logged in, or the error that kept it out. */
export function logIn(port: number, options: Record<string, unknown> = {}): Promise<ClientConnection> {
  const client = new ssh2.Client();
  onTestFinished(() => void client.destroy());
  return new Promise((resolve, reject) => {
    client.on("ready", () => resolve(client));
    // An agent that cannot sign with one key has others.
    client.on("error", (error: { level?: string }) => void (error.level === "agent" || reject(error)));
    client.on("close", () => reject(new Error("closed")));
    client.connect({ host: "127.0.0.1", port, username: "git", privateKey: ADA.private, ...options });
  });
}

export function exec(
  client: ClientConnection,
  command: string,
  options: Record<string, unknown> = {},
): Promise<ClientChannel> {
  return new Promise((resolve, reject) => {
    client.exec(command, options, (error, channel) => (error ? reject(error) : resolve(channel)));
  });
}

/** What was said on a channel, and how it ended. */
export interface Heard {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number | undefined;
}

/** Listens to a channel up to its end. Has to be called before anything else can come. */
export function listen(channel: ClientChannel): Promise<Heard> {
  let stdout = "";
  let stderr = "";
  let status: number | undefined;
  channel.on("data", (chunk: Buffer) => {
    stdout += chunk.toString("latin1");
  });
  channel.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk.toString("utf8");
  });
  channel.on("exit", (code: number) => {
    status = code;
  });
  return new Promise((resolve) => channel.once("close", () => resolve({ stdout, stderr, status })));
}

/** Runs a command to its end. */
export function run(
  client: ClientConnection,
  command: string,
  { input = "", ...options }: { readonly input?: string; readonly env?: Record<string, string> } = {},
): Promise<Heard> {
  return new Promise((resolve, reject) => {
    client.exec(command, options, (error, channel) => {
      if (error) return reject(error);
      resolve(listen(channel));
      channel.end(input);
    });
  });
}

/** A socket that speaks for itself, and what it has heard. */
export function raw(port: number): { socket: Socket; closed: Promise<string> } {
  const socket = connect({ port, host: "127.0.0.1" });
  let heard = "";
  socket.on("error", () => {});
  socket.on("data", (chunk) => {
    heard += chunk.toString("latin1");
  });
  onTestFinished(() => void socket.destroy());
  return { socket, closed: new Promise((resolve) => socket.once("close", () => resolve(heard))) };
}

/** Waits until it is so. @throws Error when it never is */
export async function until(isSo: () => boolean, ms = 5000): Promise<void> {
  const end = performance.now() + ms;
  while (!isSo()) {
    if (performance.now() > end) throw new Error(`not so within ${ms} ms: ${isSo}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
