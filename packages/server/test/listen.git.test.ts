import { createServer } from "node:net";
import { git, temporaryDirectory, tryGit } from "@tooling/test-kit";
import { createMemoryRepository, repositoriesFrom } from "@x/storage-memory";
import { describe, expect, it } from "vitest";
import { createGitServer } from "../src/index.ts";
import { listen } from "../src/node.ts";

const app = createMemoryRepository();
const tip = await app.commit({ branch: "main", message: "first", files: { "README.md": "# hi\n" } });
const make = () => createGitServer({ repositories: repositoriesFrom(new Map([["a b/ü", app]])) });

describe("listen", () => {
  it("serves http and git:// at once, on free ports, until it is closed", async () => {
    const server = await listen(make(), { http: {}, git: { port: 0 } });
    for (const url of [server.url("a b/ü"), server.url("a b/ü", "git")])
      expect(await git(["ls-remote", url, "main"])).toBe(`${tip}\trefs/heads/main`);
    expect([...server.addresses.keys()]).toEqual(["http", "git"]);
    expect(server.url("x")).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/x$/);
    expect(() => server.url("x", "ssh")).toThrow(RangeError);
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
    const options = { others: { ssh: other } };
    await expect(listen(make(), { ...options, git: { port } })).rejects.toMatchObject({ code: "EADDRINUSE" });
    expect(events).toEqual([]);
    const server = await listen(make(), options);
    expect(server.url("x")).toBe("ssh://[::1]:1/x");
    await server.close();
    expect(events).toEqual(["listen", "close"]);
    const late = { ...other(), listen: () => Promise.reject(new Error("no host key")) };
    await expect(listen(make(), { http: {}, others: { ssh: () => late } })).rejects.toThrow("no host key");
    await new Promise((resolve) => taken.close(resolve));
  });
});
