import { git, tryGit } from "@tooling/test-kit";
import { delim, encodePackets, flush, type Writable } from "@x/pktline";
import { describe, expect, it } from "vitest";
import { packetsOf, serve } from "./story.ts";
import { makeTwins } from "./twins.ts";

/** What v2 can do besides, in words that hold ids: the same in repositories of either hash. */
describe.each(["sha1", "sha256"] as const)(
  "answers as stock git does, byte for byte, %s:",
  async (format) => {
    const { id, ours, gitDirectory } = await makeTwins(format);
    const unknown = "cd".repeat(format === "sha1" ? 20 : 32);
    const blob = (await git(["ls-tree", "main"], { cwd: gitDirectory })).split(/\s/)[2] as string;
    for (const [key, value] of [
      ["uploadpack.allowFilter", "true"],
      ["uploadpack.allowRefInWant", "true"],
      ["uploadpack.allowSidebandAll", "true"],
      ["uploadpack.blobPackfileUri", `${blob} ${unknown} https://example.com/pack`],
      ["uploadpack.hideRefs", "refs/heads/alias"],
      ["transfer.advertiseObjectInfo", "true"],
    ] as const) {
      await git(["config", "--add", key, value], { cwd: gitDirectory });
      ours.configure(key, value);
    }

    async function ask(command: string, ...lines: Writable[]) {
      const head = [`command=${command}\n`, `object-format=${format}`, delim];
      const input = encodePackets([...head, ...lines, flush]);
      const theirs = await tryGit(["upload-pack", "--stateless-rpc", gitDirectory], {
        input,
        env: { GIT_PROTOCOL: "version=2" },
      });
      return { theirs: packetsOf(theirs.stdout), mine: (await serve(ours, { input: [input] })).packets };
    }

    /** Up to the pack itself, keepalives and texts aside. */
    const untilPack = (packets: readonly string[]) => {
      const told = packets.filter((packet) => packet !== "\x01" && !packet.startsWith("\x02"));
      const at = told.findIndex((packet) => packet.startsWith("\x01PACK"));
      return at < 0 ? told : told.slice(0, at);
    };

    const want = `want ${id("main")}\n`;
    const FETCHES: [string, Writable[]][] = [
      ["a ref by name", ["want-ref refs/heads/side\n", "done\n"]],
      ["refs by name, a tag and HEAD among them", ["want-ref refs/tags/v2\n", "want-ref HEAD\n", "done\n"]],
      ["a ref by name, found in common", ["want-ref refs/heads/main\n", `have ${id("main~1")}\n`]],
      ["a ref by name, nothing in common", ["want-ref refs/heads/main\n", `have ${unknown}\n`]],
      ["a ref that is not there", ["want-ref refs/heads/none\n", "done\n"]],
      ["a ref that is hidden", ["want-ref refs/heads/alias\n", "done\n"]],
      ["a name that is short", ["want-ref main\n", "done\n"]],
      ["sideband-all", [want, `have ${id("main~1")}\n`, "sideband-all\n"]],
      ["a pack from elsewhere", [want, "sideband-all\n", "packfile-uris https\n", "done\n"]],
      ["a filter", [want, "filter combine:tree:2+blob:none\n", "done\n"]],
      ["a boundary", [want, `shallow ${id("main~1")}\n`, "deepen-not v1\n", "done\n"]],
    ];
    it.each(FETCHES)("%s", async (_, lines) => {
      const { theirs, mine } = await ask("fetch", ...lines, "no-progress\n");
      expect(untilPack(mine)).toEqual(untilPack(theirs));
      expect(mine.length).toBeGreaterThan(0);
    });

    it("the sizes of objects", async () => {
      const ids = [id("main"), unknown, id("v2"), blob].map((one) => `oid ${one}\n`);
      const { theirs, mine } = await ask("object-info", "size\n", ...ids);
      expect(mine).toEqual(theirs);
      expect(mine).toHaveLength(6);
    });
  },
);
