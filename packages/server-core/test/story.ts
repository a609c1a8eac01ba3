import {
  decodeLatin1,
  decodeSideband,
  encodeLatin1,
  encodePackets,
  flush,
  PktLineDecoder,
  type Writable,
} from "@x/pktline";
import {
  createGitService,
  type GitServiceOptions,
  type Repository,
  type ServiceCall,
  ServiceError,
} from "../src/index.ts";

/** How a call is made; what is not said is an HTTP POST to upload-pack in v2. */
export interface CallOptions extends Partial<Omit<ServiceCall, "input">> {
  readonly input?: AsyncIterable<Uint8Array> | readonly (Uint8Array | string)[];
  readonly options?: Partial<GitServiceOptions>;
}

/** What came out of a call. */
export interface Answer {
  readonly text: string;
  /** Packets as texts, special ones as `flush` and so on; only where the whole answer is packets. */
  readonly packets: string[];
  readonly error: ServiceError | undefined;
}

async function* chunks(parts: readonly (Uint8Array | string)[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield typeof part === "string" ? encodeLatin1(part) : part;
}

/** The call that `options` describe. */
export function callOf(options: CallOptions): ServiceCall {
  const { input = [], options: _, ...rest } = options;
  return {
    service: "git-upload-pack",
    repository: "/demo.git",
    version: 2,
    mode: "rpc",
    transport: "test",
    peer: { address: "192.0.2.1" },
    signal: new AbortController().signal,
    ...rest,
    input: Array.isArray(input) ? chunks(input) : (input as AsyncIterable<Uint8Array>),
  };
}

/** Serves one call from beginning to end. */
export async function serve(repository: Repository, options: CallOptions): Promise<Answer> {
  const service = createGitService({
    repositories: async () => repository,
    services: ["git-upload-pack", "git-receive-pack"],
    agent: "x/1",
    ...options.options,
  });
  let text = "";
  let error: ServiceError | undefined;
  try {
    for await (const chunk of service(callOf(options))) {
      if (chunk.length > 65536) throw new Error(`a chunk of ${chunk.length} bytes`);
      text += decodeLatin1(chunk);
    }
  } catch (thrown) {
    if (!(thrown instanceof ServiceError)) throw thrown;
    error = thrown;
  }
  return { text, packets: packetsOf(text), error };
}

/** Packets as texts; what is no packet any more comes last, as it lies. */
export function packetsOf(text: string): string[] {
  const decoder = new PktLineDecoder();
  decoder.feed(encodeLatin1(text));
  const packets: string[] = [];
  try {
    for (let packet = decoder.read(); packet !== undefined; packet = decoder.read())
      packets.push(packet.type === "data" ? decodeLatin1(packet.payload) : packet.type);
  } catch {
    // The rest is a bare pack.
  }
  const rest = decodeLatin1(decoder.takeRest());
  return rest === "" ? packets : [...packets, rest];
}

/** What travelled on the bands, and how often a band was empty. */
export function bandsOf(packets: readonly string[]): {
  data: string;
  progress: string;
  error: string;
  empty: number;
} {
  const bands = { data: "", progress: "", error: "", empty: 0 };
  for (const packet of packets) {
    if (!["\x01", "\x02", "\x03"].includes(packet.charAt(0))) continue;
    const { band, bytes } = decodeSideband(encodeLatin1(packet));
    if (bytes.length === 0) bands.empty++;
    bands[band === 1 ? "data" : band === 2 ? "progress" : "error"] += decodeLatin1(bytes);
  }
  return bands;
}

/** Packets as a client writes them; a flush packet is added. */
export function section(...lines: Writable[]): Uint8Array {
  return encodePackets([...lines, flush]);
}

/** Types and first lines of the objects in a pack of the memory store, sorted. */
export function contents(pack: string): string[] {
  if (!pack.startsWith("PACK\n") || !pack.endsWith("END\n"))
    throw new Error(`no pack: ${pack.slice(0, 100)}`);
  return pack
    .slice(5, -4)
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const space = line.indexOf(" ");
      const type = line.slice(0, space);
      const data = JSON.parse(line.slice(space + 1)) as string;
      return type === "tree" ? type : `${type} ${data.trimEnd().split("\n").at(-1)}`;
    })
    .sort();
}

/** Names of the commits and tags in a pack of the memory store, sorted. */
export function history(pack: string): string[] {
  return contents(pack).flatMap((line) =>
    /^(?:commit|tag) /.test(line) ? [line.split(" ")[1] as string] : [],
  );
}
