import { describe, expect, it } from "vitest";
import { type CorsOptions, createFetchHandler, TransportHttpError } from "../src/index.ts";
import { bytes, discovery, handlerOf } from "./handler.ts";

const PAGE = "https://page.example";

async function ask(cors: CorsOptions | undefined, request: Request) {
  const { handler } = handlerOf(
    async function* () {
      yield bytes("x");
    },
    { cors },
  );
  const response = await handler(request);
  return {
    status: response.status,
    header: (name: string) => response.headers.get(name),
    text: await response.text(),
  };
}

const preflight = (origin = PAGE, path = "/demo.git/git-upload-pack", method = "POST") =>
  new Request(`http://h${path}`, {
    method: "OPTIONS",
    headers: {
      origin,
      "access-control-request-method": method,
      "access-control-request-headers": "content-type,git-protocol",
    },
  });

const from = (origin: string) => new Request(discovery(), { headers: { origin } });

describe("cors", () => {
  it("is off: no page is let in, and OPTIONS is no method", async () => {
    const answer = await ask(undefined, from(PAGE));
    expect([answer.status, answer.header("access-control-allow-origin"), answer.header("vary")]).toEqual([
      200,
      null,
      null,
    ]);
    expect((await ask(undefined, preflight())).status).toBe(405);
  });

  it("answers a browser that asks first, Git-Protocol among what it may send", async () => {
    const answer = await ask({ origins: [PAGE] }, preflight());
    expect([answer.status, answer.text]).toEqual([204, ""]);
    expect(answer.header("access-control-allow-origin")).toBe(PAGE);
    expect(answer.header("access-control-allow-methods")).toBe("GET, HEAD, POST");
    expect(answer.header("access-control-allow-headers")).toMatch(/\bGit-Protocol\b.*\bRange\b/);
    expect(answer.header("access-control-max-age")).toBe("86400");
    expect(answer.header("vary")).toBe("Origin");
    expect(answer.header("access-control-allow-credentials")).toBeNull();
  });

  it("lets in the origins that are named, and refuses the others without a word about which", async () => {
    for (const origins of [[PAGE], (origin: string) => origin === PAGE]) {
      const good = await ask({ origins }, from(PAGE));
      expect([good.status, good.header("access-control-allow-origin")]).toEqual([200, PAGE]);
      expect(good.header("access-control-expose-headers")).toContain("WWW-Authenticate");
      for (const origin of ["https://other.example", `${PAGE}.evil.example`, "null", "http://page.example"]) {
        const bad = await ask({ origins }, from(origin));
        expect([bad.status, bad.header("access-control-allow-origin"), bad.header("vary")]).toEqual([
          200,
          null,
          "Origin",
        ]);
        expect((await ask({ origins }, preflight(origin))).status).toBe(403);
      }
    }
  });

  it("with * lets all in, and never their credentials", async () => {
    const answer = await ask({ origins: "*" }, from(PAGE));
    expect(answer.header("access-control-allow-origin")).toBe("*");
    expect(answer.header("access-control-allow-credentials")).toBeNull();
    for (const origins of ["*", ["*"], [PAGE, "*"]] as const) {
      const make = () =>
        createFetchHandler({ service: async function* () {}, cors: { origins, credentials: true } });
      expect(make).toThrow(TransportHttpError);
      expect(make).toThrow(expect.objectContaining({ code: "transport-http/bad-option" }));
    }
  });

  it("with credentials names the origin", async () => {
    const answer = await ask({ origins: [PAGE], credentials: true, maxAgeSeconds: 60 }, preflight());
    expect(answer.header("access-control-allow-origin")).toBe(PAGE);
    expect(answer.header("access-control-allow-credentials")).toBe("true");
    expect(answer.header("access-control-max-age")).toBe("60");
  });

  it("is told of refusals too, so that a page can read them", async () => {
    const request = new Request("http://h/nothing", { headers: { origin: PAGE } });
    const answer = await ask({ origins: [PAGE] }, request);
    expect([answer.status, answer.header("access-control-allow-origin")]).toEqual([404, PAGE]);
    expect((await ask({ origins: [PAGE] }, preflight(PAGE, "/nothing"))).status).toBe(404);
    expect(
      (await ask({ origins: [PAGE] }, new Request("http://h/a/git-upload-pack", { method: "OPTIONS" })))
        .status,
    ).toBe(405);
  });
});
