import { describe, expect, it } from "vitest";
import { type AccessRequest, type AccessVerdict, createGitService, ServiceError } from "../src/index.ts";
import { MemoryRepository } from "./memory-repository.ts";
import { type CallOptions, callOf } from "./story.ts";

async function outcomeOf(verdict: AccessVerdict, call: CallOptions = {}) {
  const asked: AccessRequest[] = [];
  const looked: string[] = [];
  const users: unknown[] = [];
  const service = createGitService({
    authorize: async (request) => {
      asked.push(request);
      return verdict;
    },
    repositories: async (granted) => {
      looked.push(granted.repository);
      users.push(granted.peer.user, granted.peer.committer);
      return new MemoryRepository();
    },
  });
  let error: ServiceError | undefined;
  try {
    for await (const _ of service({ ...callOf(call), peer: { address: "192.0.2.1" } }));
  } catch (thrown) {
    if (!(thrown instanceof ServiceError)) throw thrown;
    error = thrown;
  }
  return { asked, looked, users, error };
}

describe("authorize", () => {
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
      ["hidden", "server-core/repository-not-found"],
    ] as const);
    for (const [reason, code] of codes) {
      const { error } = await outcomeOf({ granted: false, reason });
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
