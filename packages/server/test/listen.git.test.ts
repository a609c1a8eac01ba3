import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { git, temporaryDirectory, tryGit } from "@tooling/test-kit";
import { createMemoryRepository, repositoriesFrom } from "@x/storage-memory";
import { authenticateByKeys, openHostKey, parseAuthorizedKeys } from "@x/transport-ssh";
import { describe, expect, it } from "vitest";
import { createGitServer } from "../src/index.ts";
import { listen } from "../src/node.ts";

const app = createMemoryRepository();
const tip = await app.commit({ branch: "main", message: "first", files: { "README.md": "# hi\n" } });
const make = () =>
  createGitServer({
    repositories: repositoriesFrom(
      new Map([
        ["a b/ü", app],
        ["app", app],
      ]),
    ),
  });

describe("listen", () => {
  it("serves http and git:// at once, on free ports, until it is closed", async () => {
    const server = await listen(make(), { http: {}, git: { port: 0 } });
    for (const url of [server.url("a b/ü"), server.url("a b/ü", "git")])
      expect(await git(["ls-remote", url, "main"])).toBe(`${tip}\trefs/heads/main`);
    expect([...server.addresses.keys()]).toEqual(["http", "git"]);
    expect(server.url("x")).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/x$/);
    expect(() => server.url("x", "https")).toThrow(RangeError);
    await server.close();
    for (const url of [server.url("a b/ü"), server.url("a b/ü", "git")])
      expect((await tryGit(["ls-remote", url])).status).not.toBe(0);
  });

  it("serves http alone when nothing is asked for, and ends with the block it is used in", async () => {
    const server = await listen(make());
    const url = server.url("a b/ü");
    const work = `${temporaryDirectory("listen")}/w`;
    await git(["clone", "-q", url, work]);
    expect([...server.addresses.keys()]).toEqual(["http"]);
    await server[Symbol.asyncDispose]();
    expect((await tryGit(["ls-remote", url])).status).not.toBe(0);
  });

  it("serves ssh to those whose key is known", async () => {
    const directory = temporaryDirectory("ssh");
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", `${directory}/key`]);
    const known = parseAuthorizedKeys(readFileSync(`${directory}/key.pub`, "latin1"));
    const ssh = {
      port: 0,
      hostKeys: [await openHostKey(`${directory}/host`)],
      authenticate: authenticateByKeys(known),
    };
    const server = await listen(make(), { ssh });
    const files = `-o UserKnownHostsFile=${directory}/known -o StrictHostKeyChecking=no`;
    const env = {
      GIT_SSH_COMMAND: `ssh -F none -i ${directory}/key -o IdentitiesOnly=yes -o BatchMode=yes ${files}`,
    };
    expect(server.url("app")).toMatch(/^ssh:\/\/git@127\.0\.0\.1:\d+\/app$/);
    expect(await git(["ls-remote", server.url("app"), "main"], { env })).toBe(`${tip}\trefs/heads/main`);
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", `${directory}/other`]);
    const stranger = { GIT_SSH_COMMAND: env.GIT_SSH_COMMAND.replace("/key", "/other") };
    expect((await tryGit(["ls-remote", server.url("app")], { env: stranger })).status).not.toBe(0);
    await server.close();
  });

  it("opens all ports or none", async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
    const address = taken.address();
    const port = typeof address === "object" ? (address?.port ?? 0) : 0;
    const events: string[] = [];
    const other = () => ({
      listen: async () => {
        events.push("listen");
        return { host: "::1", port: 1 };
      },
      close: async () => void events.push("close"),
    });
    const options = { others: { other } };
    await expect(listen(make(), { ...options, git: { port } })).rejects.toMatchObject({ code: "EADDRINUSE" });
    expect(events).toEqual([]);
    const server = await listen(make(), options);
    expect(server.url("x")).toBe("other://[::1]:1/x");
    await server.close();
    expect(events).toEqual(["listen", "close"]);
    const late = { ...other(), listen: () => Promise.reject(new Error("no host key")) };
    await expect(listen(make(), { http: {}, others: { late: () => late } })).rejects.toThrow("no host key");
    await new Promise((resolve) => taken.close(resolve));
  });
});
