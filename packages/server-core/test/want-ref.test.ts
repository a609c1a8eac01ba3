import { delim, encodePackets, flush, type Writable } from "@x/pktline";
import { describe, expect, it } from "vitest";
import { MemoryRepository } from "./memory-repository.ts";
import { serve } from "./story.ts";

function setUp(allow = "true") {
  const repository = new MemoryRepository();
  const [c1, c2, c3, , c5] = repository.five();
  repository.refs.set("refs/heads/other", c3);
  repository.refs.set("refs/hidden/x", c2);
  repository.refs.set("refs/namespaces/a/refs/heads/main", c2);
  repository.refs.point("refs/heads/alias", "refs/heads/other");
  repository.refs.point("refs/heads/secret", "refs/hidden/x");
  repository.configure("transfer.hideRefs", "refs/hidden");
  repository.configure("uploadpack.allowRefInWant", allow);
  const ask = async (...lines: Writable[]) =>
    await serve(repository, { input: [encodePackets(["command=fetch", delim, ...lines, flush])] });
  return { repository, ask, c1, c2, c3, c5 };
}

const before = (packets: readonly string[]) => packets.slice(0, packets.indexOf("packfile\n") + 1);

describe("want-ref", () => {
  it("is announced and taken only where it is allowed", async () => {
    const { repository } = setUp();
    const { packets } = await serve(repository, { mode: "advertise" });
    expect(packets).toContain("fetch=shallow wait-for-done ref-in-want\n");
    const { repository: other, ask } = setUp("false");
    expect((await serve(other, { mode: "advertise" })).packets).toContain("fetch=shallow wait-for-done\n");
    expect((await ask("want-ref refs/heads/main", "done")).packets).toEqual([
      "ERR unexpected line: 'want-ref refs/heads/main'",
    ]);
  });

  it("gives what the ref holds now, and says what that is, in the client's order", async () => {
    const { ask, c1, c3, c5 } = setUp();
    const { packets } = await ask(
      "want-ref refs/heads/main\n",
      `want ${c1}\n`,
      "want-ref refs/heads/alias\n",
      "want-ref HEAD\n",
      "want-ref refs/heads/other\n",
      "done\n",
    );
    expect(before(packets)).toEqual([
      "wanted-refs\n",
      `${c5} refs/heads/main\n`,
      `${c3} refs/heads/alias\n`,
      `${c5} HEAD\n`,
      `${c3} refs/heads/other\n`,
      "delim",
      "packfile\n",
    ]);
  });

  it("has its section behind the boundary, and none without a pack", async () => {
    const { ask, c1, c3, c5 } = setUp();
    const { packets } = await ask("want-ref refs/heads/main\n", "deepen 1\n", "done\n");
    expect(before(packets)).toEqual([
      "shallow-info\n",
      `shallow ${c5}`,
      "delim",
      "wanted-refs\n",
      `${c5} refs/heads/main\n`,
      "delim",
      "packfile\n",
    ]);
    expect((await ask("want-ref refs/heads/main\n", `have ${"ab".repeat(20)}\n`)).packets).toEqual([
      "acknowledgments\n",
      "NAK\n",
      "flush",
    ]);
    expect(before((await ask("want-ref refs/heads/other\n", `have ${c1}\n`)).packets)).toEqual([
      "acknowledgments\n",
      `ACK ${c1}\n`,
      "ready\n",
      "delim",
      "wanted-refs\n",
      `${c3} refs/heads/other\n`,
      "delim",
      "packfile\n",
    ]);
  });

  it.each([
    "refs/heads/none",
    "refs/hidden/x",
    "refs/hidden/none",
    "refs/heads/secret",
    "main",
    "refs/../config",
    "refs/heads/../heads/main",
    "",
    "config",
    "FETCH_HEAD",
    "refs/heads/main ",
    "refs/heads/main~1",
  ])("knows no ref %j", async (name) => {
    const { ask } = setUp();
    const { packets, error } = await ask(`want-ref ${name}\n`, "done\n");
    expect(packets).toEqual([`ERR unknown ref ${name}`]);
    expect(error).toMatchObject({ code: "server-core/refused", reported: true });
  });

  it("looks for what is hidden as it looks for what is missing", async () => {
    const { repository, ask } = setUp();
    const asked: string[] = [];
    const { get } = repository.refs;
    repository.refs.get = (name) => {
      asked.push(name);
      return get.call(repository.refs, name);
    };
    for (const name of ["refs/hidden/x", "refs/hidden/y", "refs/heads/z"])
      await ask(`want-ref ${name}\n`, "done\n");
    expect(asked).toEqual(["refs/hidden/x", "refs/hidden/y", "refs/heads/z"]);
  });

  it("may come once for each ref", async () => {
    const { ask } = setUp();
    const twice = await ask("want-ref refs/heads/main\n", "want-ref refs/heads/main\n", "done\n");
    expect(twice.packets).toEqual(["ERR duplicate want-ref refs/heads/main"]);
    const unknown = await ask("want-ref refs/heads/x\n", "want-ref refs/heads/x\n", "done\n");
    expect(unknown.packets).toEqual(["ERR unknown ref refs/heads/x"]);
  });

  it("names refs of the namespace", async () => {
    const { repository, ask, c2 } = setUp();
    repository.namespace = "refs/namespaces/a/";
    const { packets } = await ask("want-ref refs/heads/main\n", "done\n");
    expect(before(packets)).toEqual(["wanted-refs\n", `${c2} refs/heads/main\n`, "delim", "packfile\n"]);
    expect((await ask("want-ref refs/heads/other\n", "done\n")).packets).toEqual([
      "ERR unknown ref refs/heads/other",
    ]);
    const full = "refs/namespaces/a/refs/heads/main";
    expect((await ask(`want-ref ${full}\n`, "done\n")).packets).toEqual([`ERR unknown ref ${full}`]);
  });

  it("of many refs takes one walk over them", async () => {
    const { repository, ask, c1 } = setUp();
    const names = Array.from({ length: 3000 }, (_, i) => `refs/heads/many/${i}`);
    for (const name of names) repository.refs.set(name, c1);
    let lookups = 0;
    const { get } = repository.refs;
    repository.refs.get = (name) => {
      lookups++;
      return get.call(repository.refs, name);
    };
    repository.refs.batchSize = 1000;
    const { packets } = await ask(...names.map((name) => `want-ref ${name}\n`), "want-ref HEAD\n", "done\n");
    expect(before(packets)).toHaveLength(3000 + 4);
    expect(lookups).toBeLessThan(100);
  });
});
