import { encodePackets } from "@x/pktline";
import { type GitService, type ServiceCall, ServiceError, type ServiceErrorCode } from "@x/server-core";
import { describe, expect, it } from "vitest";
import { Client, request, start, until } from "./wire.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const errPacket = (text: string) => new TextDecoder().decode(encodePackets([bytes(`ERR ${text}`)]));
const done: GitService = async function* () {
  yield bytes("done");
};
const denied = "access denied or repository not exported: /demo.git";

function failing(code: ServiceErrorCode, message: string): GitService {
  // biome-ignore lint/correctness/useYield: it has nothing to say
  return async function* () {
    throw new ServiceError(code, message);
  };
}

describe("accessHook", () => {
  it("is asked with what is known of the call, and lets it through", async () => {
    const asked: ServiceCall[] = [];
    const { port } = await start(done, {}, { accessHook: async (call) => void asked.push(call) });
    const client = new Client(port).send(
      request("/demo.git", "git-upload-pack", "host=Git.Example:9418\0\0version=1\0x=y\0"),
    );
    await until(() => !client.socket.connecting);
    const { localPort } = client.socket;
    expect(await client.answer()).toBe("done");
    expect(asked).toHaveLength(1);
    expect(asked[0]).toMatchObject({
      service: "git-upload-pack",
      repository: "/demo.git",
      peer: { address: "127.0.0.1", port: localPort },
      reached: {
        host: "Git.Example",
        port: 9418,
        parameters: ["version=1", "x=y"],
        localAddress: "127.0.0.1",
        localPort: port,
      },
    });
  });

  it.each<[string, boolean, () => Promise<string | undefined>, string]>([
    ["a reason", true, async () => "come back later", "come back later: /demo.git"],
    ["a reason that is kept back", false, async () => "come back later", denied],
    ["no words", true, async () => "", "service rejected: /demo.git"],
    ["an error", true, () => Promise.reject(new Error("secret")), "service rejected: /demo.git"],
    ["two lines", true, async () => "a\nb", "a?b: /demo.git"],
  ])(
    "refuses with %s, without the service being asked (informative: %s)",
    async (_, informative, hook, text) => {
      let calls = 0;
      const service: GitService = (call) => {
        calls++;
        return done(call);
      };
      const { port, lines } = await start(service, {}, { accessHook: hook, informativeErrors: informative });
      expect(await new Client(port).send(request()).answer()).toBe(errPacket(text));
      expect(calls).toBe(0);
      await until(() => lines.length === 1);
      expect(lines[0]).toMatchObject({ outcome: "transport-tcp/refused" });
    },
  );

  it("is not asked about a path that means another one", async () => {
    let asked = 0;
    const { port } = await start(done, {}, { accessHook: async () => void asked++ });
    await new Client(port).send(request("/a/../b")).answer();
    expect(asked).toBe(0);
  });
});

describe("informativeErrors", () => {
  it.each<[ServiceErrorCode, string, string]>([
    ["server-core/repository-not-found", "no such repository", "no such repository"],
    ["server-core/repository-not-found", "repository not exported", "repository not exported"],
    ["server-core/service-disabled", "git-receive-pack is not enabled", "service not enabled"],
    ["server-core/unauthenticated", "authentication is required", "authentication is required"],
    ["server-core/forbidden", "not today", "not today"],
  ])("tell of %s (%s)", async (code, message, text) => {
    for (const [informativeErrors, expected] of [
      [true, `${text}: /demo.git`],
      [false, denied],
    ] as const) {
      const { port } = await start(failing(code, message), {}, { informativeErrors });
      expect(await new Client(port).send(request()).answer()).toBe(errPacket(expected));
    }
  });

  it("echo no more than 256 bytes of the path", async () => {
    const { port } = await start(
      failing("server-core/repository-not-found", "no such repository"),
      {},
      { informativeErrors: true },
    );
    const answer = await new Client(port).send(request(`/${"é".repeat(2000)}`)).answer();
    expect(answer).toBe(
      Buffer.from(encodePackets([bytes(`ERR no such repository: /${"é".repeat(127)}`)])).toString("latin1"),
    );
  });
});
