import { expect } from "vitest";
import { httpRequest, packet, parseAnswer, RawClient, request } from "./raw-client.ts";
import type { Server } from "./server.ts";

/** How pushes reach a server. */
export const PUSHES = ["git", "http"] as const;
/** @see PUSHES */
export type PushTransport = (typeof PUSHES)[number];

/** A push as raw bytes. */
export interface RawPush {
  /** For example `/repo.git`. */
  readonly path: string;
  /** `OLD NEW REF` each. */
  readonly commands: readonly string[];
  /** Behind the words that every push here has. */
  readonly words?: string;
  readonly pack: Uint8Array;
}

/** Pushes, and reads to the end. @returns what came after the announcement: see {@link unbanded} */
export async function rawPush(server: Server, transport: PushTransport, push: RawPush): Promise<string> {
  const { path, commands, words = " object-format=sha1", pack } = push;
  const capabilities = `\0 report-status side-band-64k${words}`;
  const lines = commands.map((line, i) => packet(i === 0 ? line + capabilities : line));
  const head = `${lines.join("")}0000`;
  if (transport === "http") {
    const body = Buffer.concat([Buffer.from(head, "latin1"), pack]);
    const type = { "Content-Type": "application/x-git-receive-pack-request" };
    const sent = httpRequest("POST", `${path}/git-receive-pack`, type, body);
    const answer = parseAnswer(await new RawClient(server.http).send(sent).answer());
    expect(answer.status).toBe(200);
    return unbanded(answer.body);
  }
  const client = new RawClient(server.git).send(request("git-receive-pack", path));
  await client.until(/0000$/);
  const announced = client.received.length;
  return unbanded((await client.send(head, pack).finish().answer()).slice(announced));
}

/** The report; what is said on the other bands in brackets before it. */
export function unbanded(text: string): string {
  let report = "";
  let rest = text;
  while (rest !== "") {
    const length = Number(`0x${rest.slice(0, 4)}`);
    if (length === 0) return report.replaceAll(/0000$/g, "").replaceAll(/[0-9a-f]{4}(?=unpack|ok|ng)/g, "");
    const line = rest.slice(4, length);
    report += line.startsWith("\x01") ? line.slice(1) : `[${line}]`;
    rest = rest.slice(length);
  }
  return report;
}
