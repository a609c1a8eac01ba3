import { createGitService, type Repository, ServiceError } from "@x/server-core";
import { describe, expect, it } from "vitest";
import { type HttpAccess, vetAccess } from "../src/repository-rules.ts";
import { handlerOf, post } from "./handler.ts";

const repositoryWith = (settings: Record<string, string>): Pick<Repository, "config"> => ({
  config: {
    get: (key) => settings[key],
    getAll: (key) => (key in settings ? [settings[key] as string] : []),
  },
});

const ALL: readonly HttpAccess[] = ["git-upload-pack", "git-receive-pack", "git-upload-archive", "files"];
const KEYS = ["http.uploadpack", "http.receivepack", "http.uploadarchive", "http.getanyfile"];

describe("http.* settings", () => {
  const allows = (
    settings: Record<string, string>,
    user: string | undefined,
    access: HttpAccess,
    unset: readonly HttpAccess[],
  ) => {
    try {
      vetAccess(repositoryWith(settings), { user }, access, unset);
      return true;
    } catch (error) {
      expect(error).toBeInstanceOf(ServiceError);
      expect(error).toMatchObject({ code: "server-core/service-disabled" });
      return false;
    }
  };

  it.each(ALL.map((access, i) => [access, KEYS[i] as string] as const))("%s goes by %s", (access, key) => {
    for (const user of [undefined, "", "ada"]) {
      expect(allows({ [key]: "false" }, user, access, ALL)).toBe(false);
      expect(allows({ [key]: "true" }, user, access, [])).toBe(true);
      expect(allows({}, user, access, ALL)).toBe(true);
      expect(allows({}, user, access, [])).toBe(user === "ada");
      for (const other of KEYS)
        if (other !== key) expect(allows({ [other]: "false" }, user, access, ALL)).toBe(true);
    }
  });

  it("cannot switch on what the service has off, and are asked only when access is granted", async () => {
    const asked: string[] = [];
    const config = repositoryWith({ "http.receivepack": "true" }).config;
    const service = createGitService({
      repositories: async () => {
        asked.push("found");
        return { config } as Repository;
      },
    });
    const { handler } = handlerOf(service);
    expect((await handler(post("0000", { service: "git-receive-pack" }))).status).toBe(403);
    expect(asked).toEqual([]);
  });
});
