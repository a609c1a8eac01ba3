import { describe, expect, it } from "vitest";
import {
  type AccessRequest,
  type AccessVerdict,
  type Credentials,
  createGitService,
  ServiceError,
} from "../src/index.ts";
import { MemoryRepository } from "./memory-repository.ts";
import { type CallOptions, callOf } from "./story.ts";

async function outcomeOf(
  verdict: AccessVerdict,
  call: CallOptions = {},
  { credentials, missing = false }: { readonly credentials?: Credentials; readonly missing?: boolean } = {},
) {
  const asked: AccessRequest[] = [];
  const looked: string[] = [];
  const users: unknown[] = [];
  const services: string[] = [];
  const service = createGitService({
    authorize: async (request) => {
      asked.push(request);
      return verdict;
    },
    repositories: async (granted) => {
      looked.push(granted.repository);
      services.push(granted.service);
      users.push(granted.peer.user, granted.peer.committer);
      return missing ? undefined : new MemoryRepository();
    },
  });
  let error: ServiceError | undefined;
  try {
    for await (const _ of service({ ...callOf(call), peer: { address: "192.0.2.1" }, credentials }));
  } catch (thrown) {
    if (!(thrown instanceof ServiceError)) throw thrown;
    error = thrown;
  }
  return { asked, looked, services, users, error };
}

const SOMEBODY: Credentials = { kind: "basic", user: "ada", password: "lovelace" };

describe("authorize", () => {
  it.each([
    ["anonymous callers, who are asked who they are", undefined, "server-core/unauthenticated"],
    ["those who have said it, who find nothing", SOMEBODY, "server-core/repository-not-found"],
  ])("makes the missing and the hidden one to %s", async (_, credentials, code) => {
    const options = credentials && { credentials };
    const hidden = await outcomeOf({ granted: false, reason: "hidden" }, {}, options);
    const missing = await outcomeOf({ granted: true }, {}, { ...options, missing: true });
    expect(hidden.error?.code).toBe(code);
    expect([missing.error?.code, missing.error?.message]).toEqual([
      hidden.error?.code,
      hidden.error?.message,
    ]);
  });

  it("forbids nothing that is not there, and makes none for that", async () => {
    const call = { service: "git-receive-pack" } as const;
    const options = { credentials: SOMEBODY, missing: true };
    const { error, services } = await outcomeOf({ granted: false, reason: "forbidden" }, call, options);
    expect(error).toMatchObject({
      code: "server-core/repository-not-found",
      message: "repository not found",
    });
    expect(services).toEqual(["git-upload-pack"]);
  });

  it("says when to try again", async () => {
    const { error } = await outcomeOf({ granted: false, reason: "throttled", retryAfterMs: 7000 });
    expect(error?.retryAfterMs).toBe(7000);
  });

  it("is asked once, before the repository is looked for, with what the transport knows", async () => {
    const { asked, looked } = await outcomeOf({ granted: false, reason: "credentials" });
    expect(asked).toHaveLength(1);
    expect(asked[0]).toMatchObject({
      service: "git-upload-pack",
      credentials: { kind: "anonymous" },
      peer: { address: "192.0.2.1" },
    });
    expect(looked).toEqual([]);
  });

  it("gives each refusal a code of its own", async () => {
    const codes = new Map([
      ["credentials", "server-core/unauthenticated"],
      ["forbidden", "server-core/forbidden"],
      ["throttled", "server-core/throttled"],
      ["hidden", "server-core/repository-not-found"],
    ] as const);
    for (const [reason, code] of codes) {
      const { error } = await outcomeOf({ granted: false, reason }, {}, { credentials: SOMEBODY });
      expect(error).toMatchObject({ code, reported: false });
    }
    const { error } = await outcomeOf({ granted: false, reason: "forbidden", message: "read only today" });
    expect(error?.message).toBe("read only today");
  });

  it("names who was let in, for the resolver, hooks and logs", async () => {
    const { users, error } = await outcomeOf(
      { granted: true, user: "ada", committer: "Ada <ada@example.org>" },
      { mode: "advertise" },
    );
    expect(error).toBeUndefined();
    expect(users).toEqual(["ada", "Ada <ada@example.org>"]);
  });

  it("decides on its own about every service: nothing is switched off beside it", async () => {
    const { error } = await outcomeOf({ granted: true }, { service: "git-receive-pack", mode: "advertise" });
    expect(error).toBeUndefined();
  });

  it("keeps what is wrong with it to itself", async () => {
    const service = createGitService({
      authorize: async () => {
        throw new Error("ldap://secret is down");
      },
      repositories: async () => new MemoryRepository(),
    });
    const run = (async () => {
      for await (const _ of service(callOf({})));
    })();
    await expect(run).rejects.toMatchObject({
      code: "server-core/internal",
      message: "internal server error",
    });
  });
});
