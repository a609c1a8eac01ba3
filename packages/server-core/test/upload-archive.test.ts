import type { ArchiveEvent, ArchiveQuestions, ArchiveRef, ArchiveRequest, ObjectStore } from "@x/objects";
import { ObjectsError } from "@x/objects";
import { decodeLatin1, encodePackets, flush, PktLineDecoder } from "@x/pktline";
import { beforeEach, describe, expect, it } from "vitest";
import { type ArchiveFilter, createGitService, type GitServiceOptions, ServiceError } from "../src/index.ts";
import { MemoryRepository } from "./memory-repository.ts";
import { callOf } from "./story.ts";

/** What a client hears. */
interface Heard {
  readonly head: string;
  readonly archive: string;
  readonly messages: string;
  readonly fatal: string;
  readonly ended: boolean;
  readonly error: ServiceError | undefined;
}

const NOW = 1_700_000_000;

let repository: MemoryRepository;
let requests: ArchiveRequest[];
let make: (request: ArchiveRequest, questions: ArchiveQuestions) => AsyncIterable<ArchiveEvent>;

beforeEach(() => {
  repository = new MemoryRepository();
  requests = [];
  make = async function* () {
    yield { kind: "bytes", bytes: new TextEncoder().encode("ARCHIVE") };
  };
  const objects: ObjectStore = repository.objects;
  objects.createArchive = (request, options = {}) => {
    requests.push(request);
    return make(request, options);
  };
});

async function ask(
  words: readonly string[],
  options: Partial<GitServiceOptions> & { readonly raw?: readonly Uint8Array[] } = {},
): Promise<Heard> {
  const { raw, ...rest } = options;
  const service = createGitService({
    repositories: async () => repository,
    services: ["git-upload-archive"],
    now: () => NOW * 1000,
    ...rest,
  });
  const input = raw ?? [encodePackets([...words.map((word) => `argument ${word}\n`), flush])];
  const heard = { head: "", archive: "", messages: "", fatal: "", ended: false };
  let error: ServiceError | undefined;
  const decoder = new PktLineDecoder();
  try {
    for await (const chunk of service(
      callOf({ service: "git-upload-archive", mode: "duplex", version: 0, input }),
    )) {
      expect(chunk.length).toBeLessThanOrEqual(65_536);
      decoder.feed(chunk);
    }
  } catch (thrown) {
    if (!(thrown instanceof ServiceError)) throw thrown;
    error = thrown;
  }
  let flushes = 0;
  for (let packet = decoder.read(); packet !== undefined; packet = decoder.read()) {
    if (packet.type === "flush") flushes++;
    else if (packet.type === "data" && flushes === 0) heard.head += decodeLatin1(packet.payload);
    else if (packet.type === "data") {
      const text = decodeLatin1(packet.payload.subarray(1));
      if (packet.payload[0] === 1) heard.archive += text;
      else if (packet.payload[0] === 2) heard.messages += text;
      else heard.fatal += text;
    }
  }
  return { ...heard, ended: flushes === 2, error };
}

const DIED = "git upload-archive: archiver died with error";

function refusal(message: string) {
  return { head: "ACK\n", archive: "", messages: `fatal: ${message}\n`, fatal: DIED, ended: false };
}

describe("upload-archive", () => {
  it("acknowledges, sends the archive on band 1, and ends", async () => {
    const [, , , , tip] = repository.five();
    const heard = await ask(["--prefix=a b/", "main", "file", ":!x"]);
    expect(heard).toEqual({
      head: "ACK\n",
      archive: "ARCHIVE",
      messages: "",
      fatal: "",
      ended: true,
      error: undefined,
    });
    expect(requests).toHaveLength(1);
    expect(requests[0]).toMatchObject({
      format: "tar",
      commit: tip,
      prefix: "a b/",
      paths: ["file", ":!x"],
      verbose: false,
      settings: { umask: 0o002, bigFileThreshold: 512 * 1024 * 1024 },
    });
    expect(requests[0]?.time).toBe(1_000_000_300);
  });

  it("sends messages on band 2, byte for byte", async () => {
    repository.five();
    make = async function* () {
      yield { kind: "message", text: "caf\u00e9\xff\n" };
      yield { kind: "bytes", bytes: new Uint8Array([0x61]) };
    };
    expect(await ask(["-v", "main"])).toMatchObject({
      messages: "caf\u00e9\xff\n",
      archive: "a",
      ended: true,
    });
    expect(requests[0]?.verbose).toBe(true);
  });

  it("says in git's words what the store refuses, and nothing of what goes wrong in it", async () => {
    repository.five();
    make = () =>
      failing(new ObjectsError("objects/bad-archive-request", "pathspec 'x' did not match any files"));
    const refused = await ask(["main", "x"]);
    expect(refused).toMatchObject(refusal("pathspec 'x' did not match any files"));
    expect(refused.error).toMatchObject({ code: "server-core/refused", reported: true });
    make = () => failing(new ObjectsError("objects/corrupt", "secret place"));
    const broken = await ask(["main"]);
    expect(broken).toMatchObject({ messages: "", fatal: "internal server error\n", ended: false });
    expect(broken.error).toMatchObject({ code: "server-core/internal", reported: true });
  });

  // The last step of the iteration is the one that throws.
  async function* failing(error: Error): AsyncGenerator<ArchiveEvent, void> {
    yield* [];
    throw error;
  }

  it("is not there where the store makes no archives", async () => {
    const bare = new MemoryRepository();
    const { error } = await ask(["main"], { repositories: async () => bare });
    expect(error).toMatchObject({ code: "server-core/service-disabled", reported: false });
  });

  it("is off unless it is switched on", async () => {
    const { error } = await ask(["main"], { services: ["git-upload-pack"] });
    expect(error).toMatchObject({ code: "server-core/service-disabled" });
  });

  it("lists the formats that are on", async () => {
    expect(await ask(["--list"])).toMatchObject({ archive: "tar\ntgz\ntar.gz\nzip\n", ended: true });
    repository.configure("tar.tgz.remote", "false");
    expect(await ask(["-l"])).toMatchObject({ archive: "tar\ntar.gz\nzip\n" });
    expect(await ask(["--format=tgz", "main"])).toMatchObject(refusal("Unknown archive format 'tgz'"));
  });

  it("has the formats that the repository comes with, unless its own settings say no", async () => {
    repository.five();
    const swap: ArchiveFilter = {
      name: "swap",
      remote: true,
      async *run(tar, { level, signal }) {
        expect(signal.aborted).toBe(false);
        for await (const event of tar)
          if (event.kind === "bytes") yield { kind: "bytes", bytes: event.bytes.slice().reverse() };
        yield { kind: "message", text: `level ${level}\n` };
      },
    };
    const filters: ArchiveFilter[] = [
      { name: "tgz", remote: false },
      swap,
      { ...swap, name: "mine", remote: false },
      { ...swap, name: "zip" },
      { name: "gz", remote: true },
    ];
    Object.assign(repository, { archiveFilters: filters });
    expect((await ask(["--list"])).archive).toBe("tar\ntar.gz\nswap\nzip\ngz\nzip\n");
    expect(await ask(["--format=swap", "-12", "main"])).toMatchObject({
      archive: "EVIHCRA",
      messages: "level 12\n",
      ended: true,
    });
    expect(await ask(["--format=zip", "main"])).toMatchObject({ archive: "EVIHCRA", ended: true });
    expect(await ask(["--format=gz", "-9", "main"])).toMatchObject({ archive: "ARCHIVE", ended: true });
    expect(requests.map(({ format }) => format)).toEqual(["tar", "tar", "tar.gz"]);
    for (const name of ["mine", "tgz"])
      expect(await ask([`--format=${name}`, "main"])).toMatchObject(
        refusal(`Unknown archive format '${name}'`),
      );
    expect(await ask(["--format=swap", "main"], { limits: { maxArchiveBytes: 6 } })).toMatchObject({
      archive: "",
      error: { code: "server-core/limit-exceeded" },
    });
    repository.configure("tar.swap.remote", "no");
    expect((await ask(["--list"])).archive).toBe("tar\ntar.gz\nzip\ngz\nzip\n");
  });

  it("runs no filter that a repository names", async () => {
    repository.five();
    repository.configure("tar.own.command", "touch /tmp/x");
    repository.configure("tar.own.remote", "true");
    expect(await ask(["--format=own", "main"])).toMatchObject(refusal("Unknown archive format 'own'"));
  });

  it.each([
    [["--output=x", "main"], "Unexpected option --output"],
    [["-ox", "main"], "Unexpected option --output"],
    [["--remote", "x", "main"], "Unexpected option --remote"],
    [["--exec=x", "main"], "the option '--exec' requires '--remote'"],
    [["--add-file=/etc/passwd", "main"], "options '--add-file' and '--remote' cannot be used together"],
    [["--add-virtual-file=a:b", "main"], "options '--add-file' and '--remote' cannot be used together"],
    [["--format=rar", "main"], "Unknown archive format 'rar'"],
    [["-9", "main"], "Argument not supported for format 'tar': -9"],
    [["-10", "--format=zip", "main"], "Argument not supported for format 'zip': -10"],
    [["--list", "main"], "extra command line parameter 'main'"],
  ])("refuses %j", async (words, message) => {
    repository.five();
    expect(await ask(words)).toMatchObject(refusal(message));
    expect(requests).toEqual([]);
  });

  it.each([
    [[], "usage: "],
    [["-h"], "usage: "],
    [["--nope", "main"], "error: unknown option `nope'\nusage: "],
    [["--no-mtime", "main"], "error: unknown option `no-mtime'\nusage: "],
    [["-x", "main"], "error: unknown switch `x'\nusage: "],
    [["--e"], "error: option `exec' requires a value\nusage: "],
    [["--add", "x"], "error: ambiguous option: add (could be --add-file or --add-virtual-file)\nusage: "],
    [["--verbose=1", "main"], "error: option `verbose' takes no value\nusage: "],
  ])("shows how it is used for %j", async (words, beginning) => {
    const heard = await ask(words);
    expect(heard.messages.startsWith(beginning)).toBe(true);
    expect(heard).toMatchObject({ fatal: DIED, ended: false });
  });

  it.each([
    [["--format", "zip", "-0", "main"], { format: "zip", level: 0 }],
    [["--form=tgz", "-v9", "main"], { format: "tar.gz", level: 9, verbose: true }],
    [["main", "--format=zip", "a", "--no-format"], { format: "tar", paths: ["a"] }],
    [["main", "--", "--format=zip"], { format: "tar", paths: ["--format=zip"] }],
    [["--worktree-attributes", "main"], { ignoreTreeAttributes: true }],
    [["--mtime=@1234567890", "main"], { time: 1_234_567_890 }],
    [["--mtime", "2009-02-13T23:31:30Z", "main"], { time: 1_234_567_890 }],
    [["--mtime=now", "main"], { time: NOW }],
    [["main:"], { commit: undefined, time: NOW }],
  ])("understands %j", async (words, expected) => {
    repository.five();
    expect(await ask(words)).toMatchObject({ ended: true });
    expect(requests[0]).toMatchObject(expected);
  });

  it("goes by the repository's settings", async () => {
    repository.five();
    repository.configure("tar.umask", "022");
    repository.configure("core.bigFileThreshold", "1m");
    repository.configure("core.autocrlf", "input");
    repository.configure("core.eol", "CRLF");
    repository.configure("core.abbrev", "12");
    repository.configure("diff.png.binary", "true");
    repository.configure("diff.svg.binary", "false");
    await ask(["main"]);
    expect(requests[0]?.settings).toEqual({
      umask: 0o022,
      lineEndings: { autocrlf: "input", eol: "crlf" },
      bigFileThreshold: 1024 * 1024,
      ignoreCase: false,
      binaryDrivers: new Map([
        ["png", true],
        ["svg", false],
      ]),
      abbrev: 12,
    });
  });
});

describe("what an archive may be made of", () => {
  beforeEach(() => {
    const [c1, , , , tip] = repository.five();
    repository.refs.set("refs/tags/v1", c1);
    repository.refs.set("refs/secret/x", tip);
    repository.configure("transfer.hideRefs", "refs/secret");
  });

  it.each(["main", "heads/main", "refs/heads/main", "HEAD", "@", "v1", "tags/v1", "main:"])(
    "%s",
    async (name) => {
      expect(await ask([name])).toMatchObject({ archive: "ARCHIVE", ended: true });
    },
  );

  it.each([
    "nope",
    "main~1",
    "main^",
    "main^{tree}",
    "v1^{commit}",
    "main@{0}",
    "../../etc/passwd",
    "refs/heads/../heads/main",
    "refs/secret/x",
    "secret/x",
    ":file",
    "-",
  ])("not %s", async (name) => {
    const wanted = name.split(":", 1)[0];
    expect(await ask(["--", name])).toMatchObject(refusal(`no such ref: ${wanted}`));
  });

  it("not an id, a hidden one or another", async () => {
    const tip = (await repository.refs.get("refs/heads/main"))?.target;
    const id = tip?.kind === "id" ? tip.id : "";
    expect(await ask([id])).toMatchObject(refusal(`no such ref: ${id}`));
    repository.configure("uploadArchive.allowUnreachable", "true");
    for (const name of [id, `${id}~4`, "main~2^0", "main^{tree}", "v1^{}", "main^{commit}:"])
      expect([name, await ask([name])]).toMatchObject([name, { archive: "ARCHIVE", ended: true }]);
    for (const name of [`${id}~5`, "main^2", "main^{tag}", "refs/secret/x", "0".repeat(40), "main~x", "nope"])
      expect([name, await ask([name])]).toMatchObject([name, refusal(`not a valid object name: ${name}`)]);
  });

  it.each(["main:nope", "main:../../secret", "main:./file", "main:file/x", "main:a//b", "main:/"])(
    "no path that is not there: %s",
    async (name) => {
      expect(await ask([name])).toMatchObject(refusal(`not a valid object name: ${name}`));
    },
  );

  it("not a blob", async () => {
    const heard = await ask(["main:file"]);
    expect(heard.messages).toMatch(/^fatal: not a tree object: [0-9a-f]{40}\n$/);
  });

  it("tells of the refs alone that the client may see", async () => {
    let told: readonly ArchiveRef[] | undefined;
    make = async function* (_, { refs }) {
      told = await refs?.();
      yield { kind: "bytes", bytes: new Uint8Array(1) };
    };
    await ask(["main"]);
    expect(told?.map(({ name }) => name)).toEqual(["HEAD", "refs/heads/main", "refs/tags/v1"]);
    expect(told?.[0]?.symrefTarget).toBe("refs/heads/main");
  });
});

describe("limits of a request for an archive", () => {
  beforeEach(() => void repository.five());

  it("maxArchiveArguments", async () => {
    const words = ["main", ...Array<string>(62).fill("x")];
    expect(await ask([...words, "y"])).toMatchObject({ ended: true });
    expect(await ask([...words, "y", "z"])).toMatchObject(refusal("Too many options (>63)"));
    expect(await ask(["main", "x"], { limits: { maxArchiveArguments: 1 } })).toMatchObject(
      refusal("Too many options (>0)"),
    );
  });

  it("maxArchiveArgumentBytes", async () => {
    const limits = { maxArchiveArgumentBytes: 100 };
    const heard = await ask(["main", "x".repeat(100)], { limits });
    expect(heard).toMatchObject(refusal("the request exceeds maxArchiveArgumentBytes (100)"));
    expect(heard.error?.code).toBe("server-core/limit-exceeded");
  });

  it("maxArchivePrefixBytes", async () => {
    expect(await ask([`--prefix=${"x".repeat(4096)}`, "main"])).toMatchObject({ ended: true });
    const heard = await ask([`--prefix=${"x".repeat(4097)}`, "main"]);
    expect(heard).toMatchObject(refusal("the request exceeds maxArchivePrefixBytes (4096)"));
  });

  it("the store hears of the others", async () => {
    const limits = { maxArchiveEntries: 7, maxArchiveBytes: 8, maxArchiveCpuMs: 9 };
    await ask(["main"], { limits });
    expect(requests[0]?.limits).toEqual({ maxArchiveEntries: 7, maxArchiveBytes: 8, maxCpuMs: 9 });
  });

  it.each([
    ["a line that is no argument", encodePackets(["argument main\n", "nonsense\n", flush])],
    ["a packet that is none", new TextEncoder().encode("zzzz")],
    ["the end of the input", encodePackets(["argument main\n"])],
  ])("%s ends it", async (_, raw) => {
    const heard = await ask([], { raw: [raw] });
    expect(heard).toMatchObject({ head: "ACK\n", archive: "", ended: false });
    expect(heard.error?.code).toBe("server-core/protocol");
    expect(requests).toEqual([]);
  });
});
