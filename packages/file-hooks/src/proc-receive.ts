import type { Readable, Writable } from "node:stream";
import { encodeInChunks, flush, lineText, type Writable as Packet, PacketReader } from "@x/pktline";
import type { ProcReceiveAnswer, PushCommand, ReceivedContext } from "@x/server-core";
import { ProcReceiveReport } from "./proc-receive-report.ts";

/** How a talk with a proc-receive hook went. */
export interface ProcReceiveTalk {
  /** By ref. `undefined` when it came to nothing at all. */
  readonly answers: ReadonlyMap<string, readonly ProcReceiveAnswer[]> | undefined;
  /** For the user. */
  readonly complaints: readonly string[];
}

/** What can be done with one. Spec: githooks, "proc-receive". */
export async function talkToProcReceive(
  context: Pick<ReceivedContext, "atomic" | "pushOptions" | "repository">,
  commands: readonly PushCommand[],
  streams: { readonly stdin: Writable; readonly stdout: Readable },
  maxReportBytes: number,
): Promise<ProcReceiveTalk> {
  const { atomic, pushOptions, repository } = context;
  const input = new PacketReader(streams.stdout);
  const send = (packets: Iterable<Packet>) => {
    // The hook may be answering before it has read all, so nobody waits here.
    for (const chunk of encodeInChunks(packets)) if (!streams.stdin.destroyed) streams.stdin.write(chunk);
  };
  const failed = (complaint: string): ProcReceiveTalk => ({ answers: undefined, complaints: [complaint] });

  const words = [...(atomic ? ["atomic"] : []), ...(pushOptions === undefined ? [] : ["push-options"])];
  send([`version=1${words.length > 0 ? `\0${words.join(" ")}` : ""}\n`, flush]);
  let hello: Hello | undefined;
  try {
    hello = await readHello(input);
  } catch {
    // As if it had gone: there is no talking to it.
  }
  if (hello === undefined) return failed("fail to negotiate version with proc-receive hook");
  if (hello.version > 1) return failed(`proc-receive version '${hello.version}' is not supported`);

  send([...commands.map(({ oldId, newId, ref }) => `${oldId} ${newId} ${ref}`), flush]);
  if (hello.pushOptions) send([...(pushOptions ?? []), flush]);

  const report = new ProcReceiveReport(repository.objectFormat);
  const trouble: string[] = [];
  let lines = 0;
  let flushed = false;
  try {
    for (let end: string | undefined; end === undefined; ) {
      const before = input.bytesRead;
      const batch = await input.readBatch(1024);
      if (before > maxReportBytes) {
        trouble.push(`proc-receive reported more than ${maxReportBytes} bytes`);
        break;
      }
      for (const payload of batch.payloads) report.readLine(lineText(payload));
      lines += batch.payloads.length;
      end = batch.end;
      flushed = end === "flush";
    }
  } catch {
    trouble.push("proc-receive did not report in packets");
  }
  if (lines === 0 && !flushed) return failed(trouble[0] ?? "proc-receive exited abnormally");
  return { answers: report.answers(), complaints: [...report.complaints, ...trouble] };
}

interface Hello {
  readonly version: number;
  readonly pushOptions: boolean;
}

/** @returns `undefined` when it went away */
async function readHello(input: PacketReader): Promise<Hello | undefined> {
  let hello: Hello = { version: 0, pushOptions: false };
  const { payloads, end } = await input.readSection({ maxBytes: MAX_HELLO_BYTES });
  for (const payload of payloads) {
    const [, version, words = ""] = /^version=([0-9]{1,9})(?:\0(.*))?/s.exec(lineText(payload)) ?? [];
    if (version !== undefined)
      hello = { version: Number(version), pushOptions: words.split(" ").includes("push-options") };
  }
  return end === "eof" ? undefined : hello;
}

/** A greeting. Unit: bytes. */
const MAX_HELLO_BYTES = 65_536;
