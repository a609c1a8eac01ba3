import { createHmac } from "node:crypto";
import type { ObjectId } from "@x/objects";
import { decodeLatin1, encodePackets, flush } from "@x/pktline";
import { describe, expect, it } from "vitest";
import type { GitServiceOptions, PushCertificate, ServiceCall } from "../src/index.ts";
import { MemoryRepository } from "./memory-repository.ts";
import { commandLine, EMPTY_PACK, verdictsOf } from "./push-story.ts";
import { type Answer, serve } from "./story.ts";

const SIGNATURE = "-----BEGIN SSH SIGNATURE-----\nabc\n-----END SSH SIGNATURE-----\n";
const SEED = "deep secret";
const NOW = 1_700_000_000;

interface Signed {
  readonly nonce?: string | undefined;
  readonly options?: readonly string[];
  readonly sentOptions?: readonly string[];
  readonly lines?: readonly string[];
  readonly signature?: string;
  readonly unsigned?: readonly string[];
  readonly end?: string;
  readonly caps?: string;
  readonly call?: Partial<ServiceCall>;
  readonly service?: Partial<GitServiceOptions>;
}

function certText(signed: Signed, commands: readonly string[]): string {
  const header = [
    "certificate version 0.1",
    "pusher A U Thor <author@example.com> 1700000000 +0000",
    "pushee /demo.git",
    ...(signed.nonce === undefined ? [] : [`nonce ${signed.nonce}`]),
    ...(signed.options ?? []).map((option) => `push-option ${option}`),
  ];
  const lines = signed.lines ?? [...header, "", ...commands];
  return `${lines.join("\n")}\n${signed.signature ?? SIGNATURE}`;
}

async function pushSigned(
  repository: MemoryRepository,
  signed: Signed = {},
  ref = "refs/heads/signed",
): Promise<{ answer: Answer; seen: PushCertificate | undefined; text: string }> {
  const to = repository.refs.id("refs/heads/main") as ObjectId;
  const command = commandLine(repository, [ref, undefined, to]);
  const text = certText(signed, [command]);
  const caps = `report-status side-band-64k object-format=${repository.objectFormat} ${signed.caps ?? ""}`;
  const input = [
    encodePackets([
      `push-cert\0${caps}\n`,
      ...text.split(/(?<=\n)/),
      signed.end ?? "push-cert-end\n",
      ...(signed.unsigned ?? []),
      flush,
    ]),
  ];
  if (signed.sentOptions !== undefined) input.push(encodePackets([...signed.sentOptions, flush]));
  let seen: PushCertificate | undefined;
  const answer = await serve(repository, {
    service: "git-receive-pack",
    version: 0,
    input: [...input, EMPTY_PACK],
    ...signed.call,
    options: {
      now: () => NOW * 1000,
      hooks: {
        preReceive: async ({ certificate }) => {
          seen = certificate;
          return undefined;
        },
      },
      ...signed.service,
    },
  });
  return { answer, seen, text };
}

function nonceOf(format: "sha1" | "sha256", seconds: number, repository = "/demo.git"): string {
  return `${seconds}-${createHmac(format, `${repository}:${seconds}`).update(SEED).digest("hex")}`;
}

function seeded(format: "sha1" | "sha256" = "sha1"): MemoryRepository {
  const repository = new MemoryRepository(format);
  repository.five();
  repository.configure("receive.certNonceSeed", SEED);
  return repository;
}

describe.each(["sha1", "sha256"] as const)("a signed push, %s", (format) => {
  it("is asked for with a nonce where there is a seed", async () => {
    const ask = (repository: MemoryRepository) =>
      serve(repository, {
        service: "git-receive-pack",
        version: 0,
        mode: "advertise",
        options: { now: () => NOW * 1000 },
      });
    expect((await ask(seeded(format))).text).toContain(` push-cert=${nonceOf(format, NOW)} `);
    const plain = new MemoryRepository(format);
    plain.five();
    expect((await ask(plain)).text).not.toContain("push-cert");
  });

  it("is told to hooks and stored as it was", async () => {
    const repository = seeded(format);
    const { answer, seen, text } = await pushSigned(repository, { nonce: nonceOf(format, NOW) });
    expect(verdictsOf(answer)).toEqual(["ok refs/heads/signed"]);
    expect(seen).toMatchObject({
      status: "E",
      signer: undefined,
      nonce: nonceOf(format, NOW),
      nonceStatus: "OK",
      nonceSlop: undefined,
    });
    expect(decodeLatin1(seen?.payload as Uint8Array) + decodeLatin1(seen?.signature as Uint8Array)).toBe(
      text,
    );
    expect(decodeLatin1(seen?.signature as Uint8Array)).toBe(SIGNATURE);
    const stored = repository.objects.graph.get(seen?.id as ObjectId);
    expect(stored?.type).toBe("blob");
    expect(decodeLatin1(stored?.data as Uint8Array)).toBe(text);
  });
});

describe("a push certificate", () => {
  it("is verified by whoever can, and what fails there only cannot be checked", async () => {
    const verified: string[] = [];
    const verifyPush: GitServiceOptions["verifyPush"] = async (payload, signature) => {
      verified.push(decodeLatin1(payload).split("\n")[0] as string, decodeLatin1(signature));
      return { status: "G", signer: "A U Thor", key: "KEY" };
    };
    const options = { nonce: nonceOf("sha1", NOW) };
    const seen = async (service: Partial<GitServiceOptions>, more: Signed = {}) => {
      let found: PushCertificate | undefined;
      const hooks = {
        prePush: async ({ certificate }: { certificate: PushCertificate | undefined }) => {
          found = certificate;
          return undefined;
        },
      };
      await pushSigned(seeded(), {
        ...options,
        ...more,
        service: { hooks, now: () => NOW * 1000, ...service },
      });
      return found;
    };
    expect(await seen({ verifyPush })).toMatchObject({ status: "G", signer: "A U Thor", key: "KEY" });
    expect(verified).toEqual(["certificate version 0.1", SIGNATURE]);
    const throws = async () => {
      throw new Error("no gpg");
    };
    expect(await seen({ verifyPush: throws })).toMatchObject({ status: "E", signer: undefined });
    expect(await seen({ verifyPush }, { signature: "" })).toMatchObject({ status: "N" });
  });

  it.each([
    ["none", undefined, "rpc", { nonceStatus: "MISSING", nonce: nonceOf("sha1", NOW) }],
    ["junk", "junk", "rpc", { nonceStatus: "BAD" }],
    ["a forged one", `${NOW - 1}-${"0".repeat(40)}`, "rpc", { nonceStatus: "BAD" }],
    ["that of another repository", nonceOf("sha1", NOW, "/other.git"), "rpc", { nonceStatus: "BAD" }],
    ["one with a leading zero", `0${nonceOf("sha1", NOW)}`, "rpc", { nonceStatus: "BAD" }],
    ["an older one", nonceOf("sha1", NOW - 61), "rpc", { nonceStatus: "SLOP", nonceSlop: 61 }],
    ["one from a clock ahead", nonceOf("sha1", NOW + 61), "rpc", { nonceStatus: "SLOP", nonceSlop: -61 }],
    [
      "one a little older",
      nonceOf("sha1", NOW - 60),
      "rpc",
      { nonceStatus: "OK", nonce: nonceOf("sha1", NOW - 60), nonceSlop: undefined },
    ],
    ["one a little older on a connection", nonceOf("sha1", NOW - 60), "duplex", { nonceStatus: "BAD" }],
    ["the one of the connection", nonceOf("sha1", NOW), "duplex", { nonceStatus: "OK" }],
  ] as const)("with %s for a nonce", async (_, nonce, mode, expected) => {
    const repository = seeded();
    repository.configure("receive.certNonceSlop", "60");
    const { answer, seen } = await pushSigned(repository, { nonce, call: { mode } });
    expect(seen).toMatchObject(expected);
    expect(answer.error).toBeUndefined();
    expect(repository.refs.id("refs/heads/signed")).toBeDefined();
  });

  it("nobody asked for is taken, its nonce unsolicited", async () => {
    const repository = new MemoryRepository();
    repository.five();
    const { seen } = await pushSigned(repository, { nonce: "1-a" });
    expect(seen).toMatchObject({ nonceStatus: "UNSOLICITED", nonce: undefined });
  });

  it("has to have the options that came", async () => {
    const verdict = async (options: readonly string[], sentOptions: readonly string[]) => {
      const repository = seeded();
      repository.configure("receive.advertisePushOptions", "true");
      const { answer } = await pushSigned(repository, { options, sentOptions, caps: "push-options" });
      return verdictsOf(answer)[0];
    };
    expect(await verdict(["a=b", ""], ["a=b", ""])).toBe("ok refs/heads/signed");
    for (const [signed, sent] of [
      [["a"], []],
      [[], ["a"]],
      [["a"], ["b"]],
      [
        ["a", "b"],
        ["b", "a"],
      ],
    ] as const)
      expect(await verdict(signed, sent)).toBe("ng refs/heads/signed inconsistent push options");
  });

  it.each<[string, Signed, RegExp]>([
    [
      "beside unsigned commands",
      { unsigned: [`${"0".repeat(40)} ${"a".repeat(40)} refs/heads/x`] },
      /got both/,
    ],
    ["twice", { unsigned: ["push-cert"] }, /a second push certificate/],
    ["without an empty line", { lines: ["certificate version 0.1"] }, /malformed push certificate/],
    ["with a NUL", { lines: ["certificate\0version 0.1", "", "x"] }, /malformed push certificate/],
    ["whose commands are none", { lines: ["certificate version 0.1", "", "x"] }, /expected old\/new\/ref/],
    ["too large", { service: { limits: { maxPushCertBytes: 100 } } }, /maxPushCertBytes \(100\)/],
    ["of too many commands", { service: { limits: { maxCommands: 0 } } }, /maxCommands \(0\)/],
  ])("%s is refused", async (_, signed, message) => {
    const repository = seeded();
    const { answer, seen } = await pushSigned(repository, signed);
    expect(answer.error?.message).toMatch(message);
    expect(seen).toBeUndefined();
    expect(repository.refs.id("refs/heads/signed")).toBeUndefined();
  });

  it("that a flush packet ends is whole, as in C git", async () => {
    const { answer } = await pushSigned(seeded(), { end: "" });
    expect(verdictsOf(answer)).toEqual(["ok refs/heads/signed"]);
  });

  it("without commands is a push of nothing", async () => {
    const { answer } = await pushSigned(seeded(), { lines: ["certificate version 0.1", ""], signature: "" });
    expect([answer.text, answer.error]).toEqual(["", undefined]);
  });
});
