import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { git, temporaryDirectory, tryGit } from "@tooling/test-kit";
import { describe, expect, it } from "vitest";
import { expectSound, leftoversIn } from "./compare.ts";
import { copyRepository, grow, makeRich } from "./fixtures.ts";
import { packet, RawClient, request } from "./raw-client.ts";
import { startServer } from "./server.ts";
import { FORMATS } from "./way.ts";

/** Where a push may be when the server dies: how much of its pack has been sent. */
const CUTS = [0.1, 0.2, 0.5, 0.9, 0.999] as const;
const ROUNDS = 5;

/** A pack of which a tenth is more than what is held in memory. Unit: bytes. */
const NOISE_BYTES = 3 * 1024 * 1024;

describe.each(FORMATS)("kill -9, %s", async (format) => {
  const rich = `${temporaryDirectory("rich")}/repo.git`;
  await makeRich(rich, format);
  const work = `${temporaryDirectory("work")}/w.git`;
  await git(["clone", "-q", "--mirror", rich, work]);
  const base = await git(["rev-parse", "main"], { cwd: work });
  await grow(work, "main", 300);
  const noise = await git(["hash-object", "-w", "--stdin"], { cwd: work, input: randomBytes(NOISE_BYTES) });
  const tree = await git(["mktree"], { cwd: work, input: `100644 blob ${noise}\tnoise\n` });
  const tip = await git(["commit-tree", tree, "-p", "main", "-m", "noise"], { cwd: work });
  await git(["update-ref", "refs/heads/main", tip], { cwd: work });
  const zero = "0".repeat(tip.length);
  const name = await git(["pack-objects", "-q", "--revs", `${work}/made`], {
    cwd: work,
    input: `${tip}\n^${base}\n`,
  });
  const pack = readFileSync(`${work}/made-${name}.pack`);
  const command = packet(`${base} ${tip} refs/heads/main\0 report-status object-format=${format}`);
  const create = packet(`${zero} ${tip} refs/heads/made`);

  /** A pack without its index is left for an hour, with what guards it: somebody else may be about to complete it. */
  function guardsHalfAPack(there: string, path: string): boolean {
    const pack = `${there}/${path.replace(/\.keep$/, "")}`;
    return path.endsWith(".keep") && existsSync(`${pack}.pack`) && !existsSync(`${pack}.idx`);
  }

  /** After a restart: refs are old or new, all is connected, and the next push and clone work. */
  async function expectRecovered(root: string): Promise<void> {
    const there = `${root}/repo.git`;
    const main = await git(["rev-parse", "main"], { cwd: there });
    expect([base, tip]).toContain(main);
    await expectSound(there);
    const server = await startServer(root);
    await git(["ls-remote", `${server.git}/repo.git`]);
    expect(leftoversIn(there).filter((path) => !guardsHalfAPack(there, path))).toEqual([]);
    const pushed = await tryGit(["push", "-q", `${server.git}/repo.git`, "main", "main:made", "main:after"], {
      cwd: work,
    });
    expect(pushed).toEqual({ status: 0, stdout: "", stderr: "" });
    expect(await git(["rev-parse", "main"], { cwd: there })).toBe(tip);
    const clone = `${temporaryDirectory("clone")}/c`;
    await git(["clone", "-q", "--mirror", `${server.http}/repo.git`, clone]);
    await expectSound(clone);
    await expectSound(there);
    await git(["gc", "-q", "--prune=now"], { cwd: there });
    await expectSound(there);
    expect(await server.end()).toBe(0);
  }

  it.each(CUTS)("while a pack comes in, at %s of it", async (cut) => {
    const root = temporaryDirectory("root");
    copyRepository(rich, `${root}/repo.git`);
    const server = await startServer(root);
    const client = new RawClient(server.git).send(request("git-receive-pack", "/repo.git"));
    await client.until(/0000$/);
    client.send(command, create, "0000", pack.subarray(0, Math.floor(pack.length * cut)));
    const incoming = () =>
      readdirSync(`${root}/repo.git/objects`).some((entry) => entry.startsWith("tmp_objdir-incoming-"));
    await expect.poll(incoming, { timeout: 10_000, interval: 5 }).toBe(true);
    expect(await server.end("SIGKILL")).toBe("SIGKILL");
    expect(await git(["rev-parse", "main"], { cwd: `${root}/repo.git` })).toBe(base);
    await expectRecovered(root);
  });

  it("somewhere after the pack is in, until the report", async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const root = temporaryDirectory("root");
      const there = copyRepository(rich, `${root}/repo.git`);
      const server = await startServer(root);
      const client = new RawClient(server.git).send(request("git-receive-pack", "/repo.git"));
      await client.until(/0000$/);
      client.send(command, create, "0000", pack);
      // Each round dies at another sign of progress on disk; the last one when the client has been told.
      const signs = [
        () => readdirSync(`${there}/objects`).some((entry) => entry.startsWith("tmp_objdir-incoming-")),
        () => readdirSync(`${there}/objects/pack`).some((entry) => entry.endsWith(".keep")),
        () => readdirSync(`${there}/objects/pack`).filter((entry) => entry.endsWith(".idx")).length > 1,
        () => readdirSync(`${there}/refs/heads`).some((entry) => entry.startsWith("made")),
      ];
      const sign = signs[round % signs.length] as () => boolean;
      if (round < ROUNDS - 1)
        while (!sign() && !client.received.includes("unpack ok")) await new Promise(setImmediate);
      else await client.until(/unpack ok/);
      expect(await server.end("SIGKILL")).toBe("SIGKILL");
      const told = /ok refs\/heads\/main/.test(client.received);
      const main = await git(["rev-parse", "main"], { cwd: there });
      // Who was told "ok" finds it done.
      if (told) expect(main).toBe(tip);
      expect([base, tip]).toContain(main);
      await expectRecovered(root);
    }
  });

  it("in the middle of a clone: the client fails, and the next one does not", async () => {
    const root = temporaryDirectory("root");
    copyRepository(rich, `${root}/repo.git`);
    const server = await startServer(root);
    const client = new RawClient(server.git).send(request("git-upload-pack", "/repo.git"));
    await client.until(/0000$/);
    client.send(packet(`want ${base} ofs-delta\n`), "0000", packet("done\n"));
    await client.until(/PACK/);
    expect(await server.end("SIGKILL")).toBe("SIGKILL");
    await expectRecovered(root);
  });
});
