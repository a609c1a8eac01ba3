import { git, tryGit } from "@tooling/test-kit";
import { delim, encodePackets, flush, type Writable } from "@x/pktline";
import { describe, expect, it } from "vitest";
import { packetsOf, serve } from "./story.ts";
import { makeTwins } from "./twins.ts";

const twins = await makeTwins("sha1");
const { id, ours, gitDirectory } = twins;
const BLOB = (await git(["ls-tree", "main"], { cwd: gitDirectory })).split(/\s/)[2] as string;
const HASH = "cd".repeat(20);
const SETTINGS: [string, string][] = [
  ["uploadpack.allowFilter", "true"],
  ["uploadpack.allowSidebandAll", "true"],
  ["uploadpack.advertiseBundleURIs", "true"],
  ["uploadpack.blobPackfileUri", `${BLOB} ${HASH} https://example.com/pack`],
  ["uploadpackfilter.object:type.allow", "false"],
  ["uploadpackfilter.tree.maxDepth", "5"],
  ["transfer.advertiseObjectInfo", "true"],
  ["bundle.version", "1"],
  ["bundle.mode", "all"],
  ["bundle.One.uri", "https://example.com/one.bundle"],
  ["promisor.advertise", "true"],
  ["promisor.sendFields", "token"],
  ["remote.lop.url", "https://lop.example/a b;c"],
  ["remote.lop.promisor", "true"],
  ["remote.lop.token", "%"],
];
for (const [key, value] of SETTINGS) {
  await git(["config", "--add", key, value], { cwd: gitDirectory });
  ours.configure(key, value);
}

async function ask(version: 0 | 2, request: Uint8Array) {
  const theirs = await tryGit(["upload-pack", "--stateless-rpc", gitDirectory], {
    input: request,
    env: { GIT_PROTOCOL: `version=${version}` },
  });
  const mine = await serve(ours, { version, input: [request] });
  return { theirs, mine };
}

const advertised = packetsOf(
  (
    await tryGit(["upload-pack", "--http-backend-info-refs", gitDirectory], {
      env: { GIT_PROTOCOL: "version=2" },
    })
  ).stdout,
);
/** Whether this git knows of a command. */
const knows = (command: string) => advertised.some((line) => line.trimEnd().split("=")[0] === command);

it("announces in v2 what stock git announces, as far as it knows it", async () => {
  const mine = (await serve(ours, { mode: "advertise" })).packets;
  const known = new Set(advertised.map((line) => line.split("=")[0]?.trimEnd()));
  const same = mine.filter((line) => known.has(line.split("=")[0]?.trimEnd()));
  const alike = (lines: readonly string[]) =>
    lines.map((line) => line.replace(/^agent=.*/, "agent=x").replace(/^(object-info)=size/, "$1"));
  // 2.39 promises to wait for done without saying so, and its object-info has no value yet.
  expect(alike(same).map((line) => line.replace(" wait-for-done", ""))).toEqual(
    alike(advertised).map((line) => line.replace(" wait-for-done", "")),
  );
});

const v2 = (command: string, ...lines: Writable[]) =>
  encodePackets([`command=${command}\n`, "agent=test", "object-format=sha1", delim, ...lines, flush]);
const want = `want ${id("main")}\n`;

describe("answers as stock git does, byte for byte:", () => {
  const ANSWERS: [string, Writable[]][] = [
    ["sideband-all", [want, "sideband-all\n", "no-progress\n", "done\n"]],
    [
      "sideband-all with acknowledgments",
      [want, `have ${id("main~1")}\n`, "sideband-all\n", "no-progress\n"],
    ],
    ["sideband-all without anything common", [want, `have ${HASH}\n`, "sideband-all\n"]],
    ["sideband-all with a boundary", [want, "deepen 2\n", "sideband-all\n", "no-progress\n", "done\n"]],
    ["a filter", [want, "filter blob:none\n", "no-progress\n", "done\n"]],
    ["a combination", [want, "filter combine:blob:limit=1k+tree:4\n", "no-progress\n", "done\n"]],
    [
      "a pack from elsewhere",
      [want, "sideband-all\n", "packfile-uris http,https\n", "no-progress\n", "done\n"],
    ],
    [
      "packs from elsewhere, none",
      [want, "sideband-all\n", "packfile-uris ftp\n", "no-progress\n", "done\n"],
    ],
    ["packs from elsewhere without sideband-all", [want, "packfile-uris https\n", "no-progress\n", "done\n"]],
  ];
  /** Up to the pack itself, keepalives aside: those are a matter of time. */
  const untilPack = (text: string) => {
    const packets = packetsOf(text).filter((packet) => packet !== "\x01");
    const at = packets.findIndex((packet) => packet.startsWith("\x01PACK"));
    return at < 0 ? packets : packets.slice(0, at);
  };
  it.each(ANSWERS)("%s", async (_, lines) => {
    const { theirs, mine } = await ask(2, v2("fetch", ...lines));
    expect(untilPack(mine.text)).toEqual(untilPack(theirs.stdout));
  });

  const WITHOUT_SIZE: [string, Writable[]][] = [["what there is", [`oid ${id("main")}\n`, `oid ${HASH}\n`]]];
  const OBJECT_INFO: [string, Writable[]][] = [
    ["sizes", ["size\n", `oid ${id("main")}\n`, `oid ${HASH}\n`, `oid ${id("v2")}\n`, `oid ${BLOB}`]],
    // 2.39 tells sizes to those who do not ask, too.
    ...(advertised.includes("object-info=size\n") ? WITHOUT_SIZE : []),
    ["nothing", ["size\n"]],
  ];
  it.each(OBJECT_INFO)("object-info: %s", async (_, lines) => {
    const { theirs, mine } = await ask(2, v2("object-info", ...lines));
    expect(mine.packets).toEqual(packetsOf(theirs.stdout));
  });

  it("bundle-uri, where it knows that", async () => {
    const { theirs, mine } = await ask(2, v2("bundle-uri"));
    if (knows("bundle-uri")) expect(mine.text).toBe(theirs.stdout);
    else expect(theirs.stderr).toBe("fatal: invalid command 'bundle-uri'\n");
  });
});

/** What git says before it gives up: to the client if it does, otherwise to its own standard error. */
function lastWords(answer: { readonly stdout: string; readonly stderr: string }): string {
  const told = packetsOf(answer.stdout).find(
    (packet) => packet.startsWith("ERR ") || packet.startsWith("\x03"),
  );
  const words = told?.replace(/^(?:ERR |\p{Cc})/u, "") ?? /^fatal: (.*)$/m.exec(answer.stderr)?.[1] ?? "";
  return words.trimEnd();
}

describe("refuses in stock git's words:", () => {
  const raw = (...packets: Writable[]) => encodePackets(packets);
  const V2: [string, Uint8Array][] = [
    ["no command", raw("agent=x", flush)],
    ["a delimiter at once", raw(delim, flush)],
    ["two commands", raw("command=ls-refs", "command=fetch", flush)],
    ["an unknown command", raw("command=push", flush)],
    ["a command with a value", raw("command=ls-refs=x", flush)],
    ["F5 an empty line instead of a command", raw("", flush)],
    ["an unknown capability", raw("command=ls-refs", "bogus=1", flush)],
    ["a command as a capability", raw("command=ls-refs", "fetch", flush)],
    ["N5 another hash", raw("command=ls-refs", "object-format=sha256", flush)],
    ["N5 an unknown hash", raw("command=ls-refs", "object-format=md5", flush)],
    ["a line that ls-refs does not know", v2("ls-refs", "bogus")],
    ["F6 a second delimiter in ls-refs", v2("ls-refs", "peel", delim)],
    ["a line that fetch does not know", v2("fetch", "bogus line")],
    ["an empty line in fetch", v2("fetch", "")],
    ["F6 a second delimiter in fetch", v2("fetch", want, delim, "done")],
    ["a want that is no id", v2("fetch", "want main")],
    ["a have that is no id", v2("fetch", "have x")],
    ["a want of nobody", v2("fetch", `want ${HASH}`)],
    ["a shallow line without an id", v2("fetch", want, "shallow main")],
    ["N10 a shallow line with a blob", v2("fetch", want, `shallow ${BLOB}`)],
    ["D1 deepen 0", v2("fetch", want, "deepen 0")],
    ["D1 deepen -1", v2("fetch", want, "deepen -1")],
    ["D1 deepen x", v2("fetch", want, "deepen x")],
    ["D2 deepen-since x", v2("fetch", want, "deepen-since x")],
    ["D3 deepen and deepen-since", v2("fetch", want, "deepen 1", "deepen-since 5", "done")],
    ["D3 deepen and deepen-not", v2("fetch", want, "deepen 1", "deepen-not side", "done")],
    ["no commit selected", v2("fetch", want, "deepen-since 99999999999", "done")],
    ["two filters", v2("fetch", want, "filter blob:none", "filter blob:none")],
    ["D5 no filter", v2("fetch", want, "filter bogus:x")],
    ["D5 a negative size", v2("fetch", want, "filter blob:limit=-1")],
    ["D5 a size beyond counting", v2("fetch", want, "filter blob:limit=99999999999999999999")],
    ["D5 a negative depth", v2("fetch", want, "filter tree:-1")],
    ["D5 a path", v2("fetch", want, "filter sparse:path=x")],
    ["D5 an empty combination", v2("fetch", want, "filter combine:")],
    ["D5 what is not escaped", v2("fetch", want, "filter combine:blob:none+?")],
    ["a type of no object", v2("fetch", want, "filter object:type=x")],
    ["D9 a filter that is off", v2("fetch", want, "filter object:type=blob")],
    [
      "D9 a filter that is off, in a combination",
      v2("fetch", want, "filter combine:tree:1+object:type=blob"),
    ],
    ["D9 a tree too deep", v2("fetch", want, "filter tree:6")],
    ["an error on sideband-all", v2("fetch", "sideband-all", want, "filter tree:6")],
  ];
  it.each(V2)("v2, %s", async (_, request) => {
    const { theirs, mine } = await ask(2, request);
    expect(lastWords({ stdout: mine.text, stderr: "" })).toBe(lastWords(theirs));
    expect(theirs.status).toBe(128);
    expect(mine.error?.reported).toBe(true);
  });

  const V0: [string, Uint8Array][] = [
    ["a line among the wants", raw(want, "bogus", flush)],
    ["a want that is no id", raw("want main", flush)],
    ["an empty line among the wants", raw("", flush)],
    ["a line among the haves", raw(want, flush, "want x", flush)],
    ["a have that is no id", raw(want, flush, "have x", flush)],
    ["a want of nobody", raw(`want ${HASH} filter`, flush)],
    ["a filter without the capability", raw(want, "filter blob:none", flush)],
    ["a filter before any want", raw("filter blob:none", flush)],
    ["two filters", raw(`want ${id("main")} filter`, "filter tree:1", "filter tree:1", flush)],
    ["D9 a tree too deep", raw(`want ${id("main")} filter`, "filter tree:6", flush)],
    ["D1 deepen 0", raw(want, "deepen 0", flush)],
    ["D3 deepen and deepen-since", raw(want, "deepen 1", "deepen-since 5", flush)],
  ];
  it.each(V0)("v0, %s", async (_, request) => {
    const { theirs, mine } = await ask(0, request);
    expect(lastWords({ stdout: mine.text, stderr: "" })).toBe(lastWords(theirs));
    expect(theirs.status).toBe(128);
    expect(mine.error?.reported).toBe(true);
  });
});
