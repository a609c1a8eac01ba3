import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { temporaryDirectory } from "@tooling/test-kit";
import type { AccessRequest, AccessVerdict, Credentials, Logger } from "@x/server-core";
import { describe, expect, it, onTestFinished } from "vitest";
import { type Access, type AccessLimits, openAccess } from "../src/index.ts";

/** As htpasswd writes them: `pässword`, `bobs`, `carols`. */
const ADA = "ada:$2y$04$xzbfwSMt6hmYrmR90Ktsk.XzmXqDeUoxP5jix/M9422ZaX6MGtjdy";
const BOB = "bob:$5$crDhQWAsvLLXgVx1$d.uQ9T9ntw/hLS1nfJepQGl2i9BCKJQCvJKrKtgS3I8";
const CAROL =
  "carol:$6$rounds=1000$.MolwNrx.0gPQ23p$Hm1gOGdumtx4UZ0RLfsvVaV3oaSv0bEsENH8Ta.a83VFb7oGlqXJNmnf52sXPpBl49FTYvU4uj7skCs30E4Pb1";
const KEY = "AAAAC3NzaC1lZDI1NTE5AAAAIDuPaJXQNmPqZb4fXq8mgZVTx4AKzN6KjGWrT1EwpkOZ";
/** SHA-256 of twenty `t`. */
const TOKEN = "ci:$sha256$f7bcc697a58656ad052bac61faf8ccfa01af31262327c326d5a54f2cb27aad23";
const USERS = [ADA, BOB, CAROL, `dave:ssh-ed25519 ${KEY} laptop`, TOKEN, ""].join("\n");
const RULES = "repo **\n  read anyone\n  write ada ci\nrepo private\n  read bob dave\n  write ada\n";

const PASSWORDS = { ada: "pässword", bob: "bobs", carol: "carols" } as const;

interface Rig {
  readonly access: Access;
  readonly directory: string;
  readonly errors: Record<string, unknown>[];
  clock: number;
}

async function rig(
  limits: Partial<AccessLimits> = {},
  { users = USERS, rules = RULES }: { readonly users?: string; readonly rules?: string } = {},
): Promise<Rig> {
  const directory = temporaryDirectory("access");
  writeFileSync(join(directory, "users"), users);
  writeFileSync(join(directory, "access"), rules);
  const errors: Record<string, unknown>[] = [];
  const keep = (fields: object, message: string) => void errors.push({ ...fields, message });
  const logger: Logger = { debug: keep, info: keep, warn: keep, error: keep };
  const made = { directory, errors, clock: 1e12 };
  const access = await openAccess({
    usersFile: join(directory, "users"),
    accessFile: join(directory, "access"),
    logger,
    limits: { failureDelayMs: 0, reloadMs: 0, ...limits },
    now: () => made.clock,
  });
  onTestFinished(() => access.close());
  return Object.assign(made, { access });
}

const basic = (user: string, password: string): Credentials => ({ kind: "basic", user, password });
const ANONYMOUS: Credentials = { kind: "anonymous" };

function ask(
  { access }: Pick<Rig, "access">,
  credentials: Credentials,
  more: Partial<AccessRequest> = {},
): Promise<AccessVerdict> {
  return access.authorize({
    repository: "/open.git",
    service: "git-upload-pack",
    transport: "http",
    credentials,
    peer: { address: "192.0.2.1" },
    signal: new AbortController().signal,
    ...more,
  });
}

const GRANTED = (user?: string) => ({ granted: true, user });
const refused = (reason: string) => expect.objectContaining({ granted: false, reason });

describe("openAccess", () => {
  it.each(Object.entries(PASSWORDS))(
    "knows %s by the password, and nobody by another one",
    async (user, password) => {
      const made = await rig();
      expect(await ask(made, basic(user, password))).toEqual(GRANTED(user));
      expect(await ask(made, basic(user, `${password} `))).toEqual(refused("credentials"));
      expect(await ask(made, basic(user, `${password}\0x`))).toEqual(refused("credentials"));
      expect(await ask(made, basic(user, ""))).toEqual(refused("credentials"));
      expect(await ask(made, basic("nobody", password))).toEqual(refused("credentials"));
      expect(await ask(made, basic("dave", password))).toEqual(refused("credentials"));
      expect(await ask(made, basic(user, "x".repeat(2000)))).toEqual(refused("credentials"));
    },
  );

  it("asks who it is of whoever has not said, and hides from others what is not theirs", async () => {
    const made = await rig();
    const pushes = { service: "git-receive-pack" } as const;
    const secret = { repository: "/private.git" } as const;
    const bob = basic("bob", PASSWORDS.bob);
    const carol = basic("carol", PASSWORDS.carol);
    expect(await ask(made, ANONYMOUS)).toEqual(GRANTED());
    expect(await ask(made, ANONYMOUS, pushes)).toEqual(refused("credentials"));
    expect(await ask(made, ANONYMOUS, secret)).toEqual(refused("credentials"));
    expect(await ask(made, carol, secret)).toEqual(refused("hidden"));
    expect(await ask(made, carol, { ...secret, ...pushes })).toEqual(refused("hidden"));
    expect(await ask(made, bob, secret)).toEqual(GRANTED("bob"));
    expect(await ask(made, bob, { ...secret, service: "git-upload-archive" })).toEqual(GRANTED("bob"));
    expect(await ask(made, bob, { ...secret, ...pushes })).toEqual({
      granted: false,
      reason: "forbidden",
      message: "bob may read this repository, not write to it",
    });
    expect(await ask(made, basic("ada", PASSWORDS.ada), { ...secret, ...pushes })).toEqual(GRANTED("ada"));
    // A wrong password is not worth as much as none.
    expect(await ask(made, basic("ada", "wrong"))).toEqual(refused("credentials"));
  });

  it("believes the transport whose key it was, and knows keys for it", async () => {
    const made = await rig();
    expect(await made.access.authenticate({ blob: Buffer.from(KEY, "base64") })).toEqual({ user: "dave" });
    expect(await made.access.authenticate({ blob: Buffer.from("x") })).toBeUndefined();
    const credentials: Credentials = { kind: "key", user: "ada", fingerprint: "SHA256:x" };
    const peer = { address: "192.0.2.1", user: "dave" };
    const secret = { repository: "private", transport: "ssh", peer };
    expect(await ask(made, credentials, secret)).toEqual(GRANTED("dave"));
    expect(await ask(made, credentials, { ...secret, service: "git-receive-pack" })).toEqual(
      refused("forbidden"),
    );
  });

  it("takes a token as Bearer, or as its user's password", async () => {
    const { createHash } = await import("node:crypto");
    const token = "a-token-of-some-length";
    const line = (text: string) => `ci:$sha256$${createHash("sha256").update(text).digest("hex")}\n`;
    const made = await rig({}, { users: `${line(token)}${line("short")}` });
    const pushes = { service: "git-receive-pack" } as const;
    expect(await ask(made, { kind: "bearer", token }, pushes)).toEqual(GRANTED("ci"));
    expect(await ask(made, basic("ci", token), pushes)).toEqual(GRANTED("ci"));
    expect(await ask(made, basic("ada", token))).toEqual(refused("credentials"));
    for (const wrong of [`${token}x`, "short", ""])
      expect(await ask(made, { kind: "bearer", token: wrong })).toEqual(refused("credentials"));
    expect(await ask(made, basic("ci", "short"))).toEqual(refused("credentials"));
  });

  it("without files lets everybody read and nobody write", async () => {
    const access = await openAccess({});
    expect(await ask({ access }, ANONYMOUS)).toEqual(GRANTED());
    expect(await ask({ access }, ANONYMOUS, { service: "git-receive-pack" })).toEqual(refused("credentials"));
    await access.close();
  });
});

describe("files that change", () => {
  it("count as they are now", async () => {
    const made = await rig();
    const ada = basic("ada", PASSWORDS.ada);
    expect(await ask(made, ada)).toEqual(GRANTED("ada"));
    writeFileSync(join(made.directory, "users"), `${BOB}\n`);
    expect(await ask(made, ada)).toEqual(refused("credentials"));
    writeFileSync(join(made.directory, "access"), "repo **\n");
    expect(await ask(made, basic("bob", PASSWORDS.bob))).toEqual(refused("hidden"));
    expect(made.errors).toEqual([]);
  });

  it("count as they were while they are no good, and say so once", async () => {
    const made = await rig();
    const path = join(made.directory, "access");
    writeFileSync(path, "repo private\n  raed bob\n");
    for (let i = 0; i < 3; i++)
      expect(await ask(made, basic("bob", PASSWORDS.bob), { repository: "private" })).toEqual(GRANTED("bob"));
    expect(made.errors).toEqual([
      expect.objectContaining({
        error: expect.objectContaining({
          message: `${path}:2:3: a line starts with group, repo, read or write`,
        }),
      }),
    ]);
    rmSync(path);
    for (let i = 0; i < 3; i++) expect(await ask(made, ANONYMOUS)).toEqual(GRANTED());
    expect(made.errors).toHaveLength(2);
    writeFileSync(path, "repo **\n");
    expect(await ask(made, ANONYMOUS)).toEqual(refused("credentials"));
  });

  it("are looked at no more often than reloadMs", async () => {
    const made = await rig({ reloadMs: 1000 });
    writeFileSync(join(made.directory, "access"), "repo **\n");
    expect(await ask(made, ANONYMOUS)).toEqual(GRANTED());
    made.clock += 1001;
    expect(await ask(made, ANONYMOUS)).toEqual(refused("credentials"));
  });

  it("have to be good at the start, with the place where they are not", async () => {
    const path = join(temporaryDirectory(), "users");
    await expect(openAccess({ usersFile: path })).rejects.toMatchObject({ code: "access-rules/unreadable" });
    writeFileSync(path, `${BOB}\nada:plain\n`);
    await expect(openAccess({ usersFile: path })).rejects.toMatchObject({
      code: "access-rules/bad-users",
      line: 2,
      column: 5,
      message: `${path}:2:5: this is no hash that is known here: make one with htpasswd -B`,
    });
    await expect(openAccess({ usersFile: path, limits: { maxFileBytes: 10 } })).rejects.toMatchObject({
      code: "access-rules/unreadable",
    });
  });
});

describe("failures", () => {
  const from = (address: string): Partial<AccessRequest> => ({ peer: { address } });

  it("of one address stop it, and nobody else, for a while", async () => {
    const made = await rig({ maxFailuresPerAddress: 3, failureWindowMs: 60_000 });
    for (let i = 0; i < 3; i++) expect(await ask(made, basic("x", "y"))).toEqual(refused("credentials"));
    made.clock += 10_000;
    const throttled = { granted: false, reason: "throttled", retryAfterMs: 50_000 };
    expect(await ask(made, basic("ada", PASSWORDS.ada))).toEqual(throttled);
    expect(await ask(made, { kind: "bearer", token: "t".repeat(20) })).toEqual(throttled);
    expect(await ask(made, ANONYMOUS)).toEqual(GRANTED());
    expect(await ask(made, basic("ada", PASSWORDS.ada), from("192.0.2.2"))).toEqual(GRANTED("ada"));
    made.clock += 50_000;
    expect(await ask(made, basic("ada", PASSWORDS.ada))).toEqual(GRANTED("ada"));
  });

  it("of one /64 of IPv6 are those of one address", async () => {
    const made = await rig({ maxFailuresPerAddress: 2 });
    await ask(made, basic("x", "y"), from("2001:db8:0:1::1"));
    await ask(made, basic("x", "y"), from("2001:db8::1:2:3:4:5"));
    expect(await ask(made, basic("x", "y"), from("2001:db8:0:1:ffff::9%eth0"))).toEqual(refused("throttled"));
    expect(await ask(made, basic("x", "y"), from("2001:db8:0:2::1"))).toEqual(refused("credentials"));
  });

  it("to be one user count from wherever they come", async () => {
    const made = await rig({ maxFailuresPerUser: 3 });
    for (let i = 0; i < 3; i++) await ask(made, basic("ada", "wrong"), from(`198.51.100.${i}`));
    expect(await ask(made, basic("ada", PASSWORDS.ada), from("192.0.2.9"))).toEqual(refused("throttled"));
    expect(await ask(made, basic("bob", PASSWORDS.bob), from("192.0.2.9"))).toEqual(GRANTED("bob"));
  });

  it("do not shut out who was known a moment ago, and cannot be tried out from elsewhere", async () => {
    const made = await rig({ maxFailuresPerUser: 3, verifiedMs: 60_000 });
    const home = from("192.0.2.50");
    expect(await ask(made, basic("ada", PASSWORDS.ada), home)).toEqual(GRANTED("ada"));
    for (let i = 0; i < 3; i++) await ask(made, basic("ada", "wrong"), from(`198.51.100.${i}`));
    expect(await ask(made, basic("ada", PASSWORDS.ada), home)).toEqual(GRANTED("ada"));
    expect(await ask(made, basic("ada", PASSWORDS.ada), from("198.51.100.9"))).toEqual(refused("throttled"));
    made.clock += 60_001;
    expect(await ask(made, basic("ada", PASSWORDS.ada), home)).toEqual(refused("throttled"));
  });

  it("count from the start: many at once are no more than many in turn", async () => {
    const made = await rig({ maxFailuresPerAddress: 5 });
    const verdicts = await Promise.all(
      Array.from({ length: 40 }, (_, i) => ask(made, basic("ada", `guess ${i}`))),
    );
    const reasons = verdicts.map((verdict) => !verdict.granted && verdict.reason);
    expect(reasons.filter((reason) => reason === "credentials")).toHaveLength(5);
    expect(reasons.filter((reason) => reason === "throttled")).toHaveLength(35);
  });

  it("are not those of many good requests at once, which cost one check", async () => {
    const made = await rig({ maxFailuresPerAddress: 2, maxPendingChecks: 2 });
    const verdicts = await Promise.all(
      Array.from({ length: 40 }, () => ask(made, basic("ada", PASSWORDS.ada))),
    );
    expect(verdicts).toEqual(Array(40).fill(GRANTED("ada")));
  });

  it("is believed for maxVerified passwords, the latest, and none is above maxPasswordBytes", async () => {
    const made = await rig({
      maxVerified: 1,
      verifiedMs: 60_000,
      maxFailuresPerUser: 2,
      maxPasswordBytes: 9,
    });
    expect(await ask(made, basic("ada", PASSWORDS.ada))).toEqual(GRANTED("ada"));
    expect(await ask(made, basic("bob", PASSWORDS.bob))).toEqual(GRANTED("bob"));
    for (const user of ["ada", "bob"])
      for (let i = 0; i < 2; i++) await ask(made, basic(user, "wrong"), from(`198.51.100.${i}`));
    expect(await ask(made, basic("bob", PASSWORDS.bob))).toEqual(GRANTED("bob"));
    expect(await ask(made, basic("ada", PASSWORDS.ada))).toEqual(refused("throttled"));
    const strict = await rig({ maxPasswordBytes: 8 });
    expect(await ask(strict, basic("ada", PASSWORDS.ada))).toEqual(refused("credentials"));
    expect(await ask(strict, basic("bob", PASSWORDS.bob))).toEqual(GRANTED("bob"));
  });

  it("do not take memory without end", async () => {
    const made = await rig({ maxFailuresPerAddress: 1, maxTrackedFailures: 10 });
    for (let i = 0; i < 30; i++) await ask(made, { kind: "bearer", token: "x" }, from(`198.51.100.${i}`));
    expect(await ask(made, { kind: "bearer", token: "x" }, from("198.51.100.29"))).toEqual(
      refused("throttled"),
    );
    // The first ones have been forgotten.
    expect(await ask(made, { kind: "bearer", token: "x" }, from("198.51.100.0"))).toEqual(
      refused("credentials"),
    );
  });

  it("queue up to a limit", async () => {
    const made = await rig({ maxPendingChecks: 3 });
    const verdicts = await Promise.all(
      Array.from({ length: 10 }, (_, i) => ask(made, basic("ada", `guess ${i}`), from(`198.51.100.${i}`))),
    );
    expect(verdicts.filter((verdict) => !verdict.granted && verdict.reason === "throttled")).toHaveLength(7);
  });

  it("are answered late", async () => {
    const made = await rig({ failureDelayMs: 200 });
    const started = performance.now();
    await ask(made, basic("ada", "wrong"));
    await ask(made, { kind: "bearer", token: "x" });
    expect(performance.now() - started).toBeGreaterThan(380);
  });
});

describe("checking a password", () => {
  /** Cost 11: some hundred milliseconds. */
  const SLOW = "ada:$2y$11$7inOJJDcTYXQD1IC2Gje8.kD76yRiRGBPkr0xgqS0Y39GvapxAJcm";

  it("does not hold up anybody else, and is not done again soon", async () => {
    const made = await rig({}, { users: `${SLOW}\n` });
    const delay = monitorEventLoopDelay({ resolution: 5 });
    delay.enable();
    const started = performance.now();
    expect(await ask(made, basic("ada", "slow-password"))).toEqual(GRANTED("ada"));
    const first = performance.now() - started;
    const again = performance.now();
    for (let i = 0; i < 100; i++) await ask(made, basic("ada", "slow-password"));
    const rest = (performance.now() - again) / 100;
    delay.disable();
    expect(rest).toBeLessThan(first / 10);
    expect(delay.percentile(90) / 1e6).toBeLessThan(Math.max(60, first / 2));
  });

  it("takes as long for somebody who does not exist", async () => {
    const made = await rig({}, { users: `${SLOW}\n` });
    await ask(made, basic("ada", "warm up"));
    const time = async (user: string) => {
      const started = performance.now();
      await ask(made, basic(user, `wrong ${started}`));
      return performance.now() - started;
    };
    const known = Math.min(await time("ada"), await time("ada"), await time("ada"));
    const unknown = Math.min(await time("eve"), await time("eve"), await time("eve"));
    // Without a hash to make it would be a thousand times quicker.
    expect(unknown).toBeGreaterThan(known / 10);
  });
});
