import { type ServiceCall, ServiceError, type ServiceErrorCode } from "@x/server-core";
import ssh2, { type ParsedKey } from "ssh2";
import { describe, expect, it } from "vitest";
import type { KeyOffer } from "../src/index.ts";
import { ADA, BOB, bytes, echo, exec, LISTED, listen, logIn, MALLORY, run, start, until } from "./rig.ts";

const COMMAND = "git-upload-pack '/demo.git'";

describe("a command", () => {
  it("becomes a call, with the name of whose key it was", async () => {
    let call: ServiceCall | undefined;
    const { port, lines } = await start((given) => {
      call = given;
      return echo(given);
    });
    const client = await logIn(port, { username: "root" });
    const env = { GIT_PROTOCOL: "version=2" };
    expect(await run(client, "git receive-pack 'team/it'\\''s.git'", { input: "hello", env })).toEqual({
      stdout: "hello",
      stderr: "",
      status: 0,
    });
    expect(call).toMatchObject({
      service: "git-receive-pack",
      repository: "/team/it's.git",
      version: 2,
      mode: "duplex",
      transport: "ssh",
      peer: { address: "127.0.0.1", user: "ada" },
      credentials: { kind: "key", user: "root", fingerprint: expect.stringMatching(/^SHA256:[\w+/]{43}$/) },
    });
    expect(lines).toEqual([
      expect.objectContaining({ message: "connection", user: "ada", outcome: "ok", bytesIn: 5, bytesOut: 5 }),
    ]);
  });

  it("shares a connection with others", async () => {
    const { port } = await start(echo);
    const client = await logIn(port);
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, i) => run(client, COMMAND, { input: `${i}` })),
    );
    expect(answers.map(({ stdout }) => stdout)).toEqual([..."01234567"]);
  });

  it("that is none of Git's ends in git-shell's words", async () => {
    const { port, lines } = await start(echo);
    const client = await logIn(port);
    expect(await run(client, "id; reboot")).toEqual({
      stdout: "",
      stderr: "fatal: unrecognized command 'id; reboot'\n",
      status: 128,
    });
    expect(await run(client, "git-upload-pack '--help'")).toMatchObject({
      stderr: "fatal: bad argument\n",
      status: 128,
    });
    expect(lines.map(({ message, outcome }) => [message, outcome])).toEqual(
      Array(2).fill(["request", "transport-ssh/bad-command"]),
    );
  });

  it.each([
    ["server-core/repository-not-found", "'/demo.git' does not appear to be a git repository"],
    ["server-core/unauthenticated", "'/demo.git' does not appear to be a git repository"],
    ["server-core/forbidden", "no pushes on Fridays"],
    ["server-core/limit-exceeded", "no pushes on Fridays"],
    ["server-core/internal", "internal server error"],
  ] as [ServiceErrorCode, string][])("that fails with %s says so as git does", async (code, words) => {
    const { port } = await start(() => {
      throw new ServiceError(code, "no pushes on Fridays");
    });
    const answer = await run(await logIn(port), COMMAND);
    expect(answer).toEqual({ stdout: "", stderr: `fatal: ${words}\n`, status: 128 });
  });

  it("says nothing on standard error that the client was told within the protocol", async () => {
    const { port } = await start(async function* () {
      yield bytes("0009ERR x");
      throw new ServiceError("server-core/refused", "x", { reported: true });
    });
    expect(await run(await logIn(port), COMMAND)).toEqual({ stdout: "0009ERR x", stderr: "", status: 128 });
  });

  it("does not reach the service with a path that could mean another one", async () => {
    let calls = 0;
    const { port } = await start((call) => {
      calls++;
      return echo(call);
    });
    const client = await logIn(port);
    for (const path of ["/a/../b", "~bob/x", "//a", ".", "a\\b"])
      expect((await run(client, `git-upload-pack '${path}'`)).stderr).toBe(
        `fatal: '${path}' does not appear to be a git repository\n`,
      );
    expect(calls).toBe(0);
  });

  it("passes on what is meant for standard error", async () => {
    const { port } = await start(async function* (call) {
      call.aside?.(bytes("hint: later\n"));
      yield bytes("x");
    });
    expect(await run(await logIn(port), COMMAND)).toMatchObject({ stdout: "x", stderr: "hint: later\n" });
  });
});

describe("SSH's other features", () => {
  it("are all refused", async () => {
    const { port } = await start(echo);
    const client = await logIn(port);
    for (const extra of [{ pty: true }, { x11: true }])
      await expect(exec(client, COMMAND, extra)).rejects.toThrow();
    const failed = (start: (done: (error?: Error) => void) => void) =>
      expect(
        new Promise<void>((resolve, reject) => start((e) => (e ? reject(e) : resolve()))),
      ).rejects.toThrow();
    await failed((done) => client.subsys("sftp", done));
    await failed((done) => client.subsys("netconf", done));
    await failed((done) => client.forwardIn("127.0.0.1", 0, done));
    await failed((done) => client.forwardOut("127.0.0.1", 1, "127.0.0.1", port, done));
    expect(await run(client, COMMAND, { input: "still here" })).toMatchObject({ stdout: "still here" });
  });

  it("include the shell, in whose place somebody is greeted", async () => {
    const { port } = await start(echo);
    const client = await logIn(port);
    const said = new Promise((resolve, reject) => {
      client.shell(false, (error, channel) => (error ? reject(error) : resolve(listen(channel))));
    });
    const greeting = "Hello ada: your key is known here. There is no shell, only Git.\n";
    expect(await said).toEqual({ stdout: "", stderr: greeting, status: 1 });
  });

  it.each([
    [{ LD_PRELOAD: "x" }, 0],
    [{ GIT_PROTOCOL: "version=2\nX=y" }, 0],
    [{ GIT_PROTOCOL: "version=2;id" }, 0],
    [{ GIT_PROTOCOL: "v".repeat(257) }, 0],
    [{ git_protocol: "version=2" }, 0],
    [{ GIT_PROTOCOL: "version=2", GIT_DIR: "/etc" }, 2],
  ])("of the environment %j only GIT_PROTOCOL in its form counts", async (env, version) => {
    let seen: number | undefined;
    const { port } = await start((call) => {
      seen = call.version;
      return echo(call);
    });
    await run(await logIn(port), COMMAND, { env: env as Record<string, string> });
    expect(seen).toBe(version);
  });
});

/** An agent that knows many keys, and can sign with one of them. */
function agentOf(others: readonly string[], own: { readonly private: string; readonly public: string }) {
  const keyOf = (text: string) => ssh2.utils.parseKey(text) as ParsedKey;
  class Agent extends ssh2.BaseAgent {
    getIdentities(done: (error: Error | undefined, keys?: unknown[]) => void): void {
      done(undefined, [...others, own.public].map(keyOf));
    }
    sign(
      key: unknown,
      data: Buffer,
      _options: unknown,
      done: (error: Error | undefined, signature?: Buffer) => void,
    ): void {
      const isOwn = (key as ParsedKey).getPublicSSH().equals(keyOf(own.public).getPublicSSH());
      if (isOwn) done(undefined, keyOf(own.private).sign(data));
      else done(new Error("it was never in this agent"));
    }
  }
  return new Agent();
}

describe("logging in", () => {
  it("takes listed keys, and no others", async () => {
    const { port, lines } = await start(echo);
    await expect(logIn(port, { privateKey: MALLORY.private })).rejects.toThrow("authentication");
    await until(() => lines.length > 0);
    expect(lines).toEqual([
      expect.objectContaining({ message: "request", outcome: "transport-ssh/unauthenticated" }),
    ]);
  });

  it.each([{ password: "secret-word" }, { tryKeyboard: true }, {}])("takes no %j", async (options) => {
    const { port, lines } = await start(echo);
    await expect(logIn(port, { privateKey: undefined, ...options })).rejects.toThrow();
    expect(JSON.stringify(lines)).not.toContain("secret-word");
  });

  it.each([
    [ADA, BOB, "bob"],
    [BOB, ADA, "ada"],
  ])("is by the key that signed, not by one that was only asked about (%#)", async (asked, signed, user) => {
    const offers: KeyOffer[] = [];
    let peer: unknown;
    const { port } = await start(
      (call) => {
        peer = call.peer.user;
        return echo(call);
      },
      {},
      async (offer) => {
        offers.push(offer);
        return LISTED(offer);
      },
    );
    const client = await logIn(port, { privateKey: undefined, agent: agentOf([asked.public], signed) });
    await run(client, COMMAND);
    expect(peer).toBe(user);
    // The first key was known, and was asked about.
    expect(offers.map(({ fingerprint }) => fingerprint)).toHaveLength(3);
    expect(new Set(offers.map(({ fingerprint }) => fingerprint)).size).toBe(2);
  });

  it("lets nobody in when the keys cannot be looked up, and logs why", async () => {
    const { port, lines } = await start(echo, {}, async () => {
      throw new Error("the directory is down");
    });
    await expect(logIn(port)).rejects.toThrow("authentication");
    expect(lines[0]).toMatchObject({ error: { message: "the directory is down" } });
  });

  it("asks again with the signature: who was listed a moment ago may not be now", async () => {
    let asked = 0;
    const { port } = await start(echo, {}, async (offer) => (asked++ === 0 ? LISTED(offer) : undefined));
    await expect(logIn(port)).rejects.toThrow("authentication");
    expect(asked).toBe(2);
  });
});

describe("ending", () => {
  it("aborts a call within a second of its client's leaving", async () => {
    for (const leave of ["close", "destroy"] as const) {
      let left = 0;
      const { port } = await start(async function* (call) {
        call.signal.addEventListener("abort", () => {
          left = performance.now();
        });
        yield bytes("x");
        await new Promise((resolve) => call.signal.addEventListener("abort", resolve));
      });
      const client = await logIn(port);
      const channel = await exec(client, COMMAND);
      await new Promise((resolve) => channel.once("data", resolve));
      const now = performance.now();
      if (leave === "close") channel.close();
      else client.destroy();
      await until(() => left > 0);
      expect(left - now).toBeLessThan(1000);
    }
  });

  it("lets running commands end, and takes no new ones", async () => {
    let go: (() => void) | undefined;
    const { port, server } = await start(async function* () {
      yield bytes("a");
      await new Promise<void>((resolve) => {
        go = resolve;
      });
      yield bytes("b");
    });
    const client = await logIn(port);
    const answer = run(client, COMMAND);
    await until(() => go !== undefined);
    const closed = server.close({ graceMs: 5000 });
    await expect(exec(client, COMMAND)).rejects.toThrow();
    await expect(logIn(port)).rejects.toThrow();
    go?.();
    expect(await answer).toMatchObject({ stdout: "ab", status: 0 });
    await closed;
  });

  it("cuts off what does not end in time, and says so", async () => {
    const { port, server } = await start(async function* (call) {
      yield bytes("a");
      await new Promise((_, reject) =>
        call.signal.addEventListener("abort", () => reject(new ServiceError("server-core/aborted", "x"))),
      );
    });
    const client = await logIn(port);
    client.on("error", () => {});
    const answer = run(client, COMMAND);
    await new Promise((resolve) => setTimeout(resolve, 200));
    await server.close({ graceMs: 100 });
    expect(await answer).toMatchObject({ stderr: "fatal: the server is shutting down\n", status: 128 });
  });
});
