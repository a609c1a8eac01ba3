import { execFile } from "node:child_process";
import { join } from "node:path";
import { createTestRepository, git, gitEnvironment, temporaryDirectory } from "@tooling/test-kit";
import { beforeAll, describe, expect, it } from "vitest";
import { CLIENTS, type Transport } from "./clients.ts";
import { type Server, startServer } from "./server.ts";

let server: Server;
const tips = new Map<string, string>();

/** Some history, two branches, tags of both kinds, and enough of it for deltas and a second have round. */
async function makeSource(directory: string, objectFormat: "sha1" | "sha256"): Promise<void> {
  const source = await createTestRepository({ objectFormat });
  for (let i = 0; i < 60; i++)
    await source.commit(`c${i}`, {
      grows: Array.from({ length: i * 5 }, (_, line) => `line ${line}\n`).join(""),
      [`file-${i % 7}`]: `${i}\n`,
    });
  await source.git("tag", "light", "HEAD~3");
  await source.git("tag", "-a", "-m", "one", "v1", "HEAD~2");
  await source.git("branch", "side", "HEAD~5");
  await git(["clone", "-q", "--bare", source.directory, directory]);
}

beforeAll(async () => {
  const root = temporaryDirectory("root");
  for (const format of ["sha1", "sha256"] as const) {
    await makeSource(join(root, `${format}.git`), format);
    tips.set(format, await git(["rev-parse", "main"], { cwd: join(root, `${format}.git`) }));
  }
  server = await startServer(root);
});

function run([program = "", ...args]: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const env = { ...gitEnvironment(), ...server.clientEnvironment };
    execFile(program, args, { env, timeout: 60_000 }, (error, _out, err) =>
      error === null ? resolve() : reject(new Error(`${program} ${args.join(" ")}: ${error.message}${err}`)),
    );
  });
}

describe.each(CLIENTS)("$name", (client) => {
  it("is on this machine", async () => {
    await run(client.probe);
  });

  const ways = client.transports.flatMap((transport) =>
    client.formats.map((format): [Transport, "sha1" | "sha256"] => [transport, format]),
  );
  it.each(ways)("clones, fetches and pushes over %s, %s", async (transport, format) => {
    const name = `${client.name.replace(/\W+/g, "-")}-${transport}-${format}`;
    const stored = join(server.root, `${name}.git`);
    await git(["clone", "-q", "--bare", join(server.root, `${format}.git`), stored]);
    const copy = join(temporaryDirectory("copy"), "c");
    const here = (...args: string[]) => git(args, { cwd: copy });
    const there = (...args: string[]) => git(args, { cwd: stored });

    await run(client.clone(`${server.url(transport)}/${name}.git`, copy));
    expect(await here("rev-parse", "HEAD")).toBe(tips.get(format));
    expect(await here("rev-parse", "refs/remotes/origin/side")).toBe(await there("rev-parse", "side"));
    expect(await here("status", "--porcelain", "--untracked-files=no")).toBe("");

    // Somebody else pushes meanwhile.
    const other = join(temporaryDirectory("other"), "o");
    await git(["clone", "-q", stored, other]);
    for (const text of ["x", "y"]) await git(["commit", "-q", "--allow-empty", "-m", text], { cwd: other });
    await git(["push", "-q", "origin", "main"], { cwd: other });
    await run(client.fetch(copy));
    const fetched = await there("rev-parse", "main");
    expect(await here("rev-parse", "refs/remotes/origin/main")).toBe(fetched);

    await here("reset", "-q", "--hard", fetched);
    await here("commit", "-q", "--allow-empty", "-m", "ours");
    await here("branch", "created", "HEAD");
    await run(client.push(copy, "refs/heads/main"));
    await run(client.push(copy, "refs/heads/created"));
    const pushed = await here("rev-parse", "HEAD");
    expect(await there("rev-parse", "main", "created")).toBe(`${pushed}\n${pushed}`);

    await git(["fsck", "--strict"], { cwd: copy });
    await git(["fsck", "--strict"], { cwd: stored });
  });
});
