import { createGitService, type ServiceCall, ServiceError } from "@x/server-core";
import { describe, expect, it } from "vitest";
import { formatChallenge, parseAuthorization, withoutUserInfo } from "../src/credentials.ts";
import { DEFAULT_HTTP_LIMITS } from "../src/limits.ts";
import { discovery, echo, handlerOf, pieces, post } from "./handler.ts";

const MAX = 8192;
const parse = (header: string) => parseAuthorization(header, MAX);
const basic = (pair: string) => `Basic ${Buffer.from(pair, "utf8").toString("base64")}`;

describe("parseAuthorization", () => {
  it("takes no header for nobody", () => {
    expect(parseAuthorization(null, MAX)).toEqual({ kind: "anonymous" });
  });

  it.each([
    ["ada:lovelace", "ada", "lovelace"],
    ["ada:", "ada", ""],
    [":", "", ""],
    ["ada:with:colons: ", "ada", "with:colons: "],
    ["ädä:пароль", "ädä", "пароль"],
  ])("reads Basic %s", (pair, user, password) => {
    for (const header of [basic(pair), basic(pair).replace("Basic ", "bAsIc   ")])
      expect(parse(header)).toEqual({ kind: "basic", user, password });
  });

  it.each(["abc", "a.b-c_d~e+f/g==", "A"])("reads Bearer %s", (token) => {
    expect(parse(`Bearer ${token}`)).toEqual({ kind: "bearer", token });
    expect(parse(`BEARER ${token}`)).toEqual({ kind: "bearer", token });
  });

  it.each(["Negotiate YII=", "Digest username=x", "Basics YTpi", "Bear"])(
    "takes %s for nobody: it proves nothing here",
    (header) => {
      expect(parse(header)).toEqual({ kind: "anonymous" });
    },
  );

  it.each([
    ["no scheme", ""],
    ["a blank in front", " Basic YTpi"],
    ["two headers joined", "Basic YTpi, Basic YTpj"],
    ["Basic without anything", "Basic"],
    ["no colon", basic("ada")],
    ["a digit that is none", "Basic YTp!"],
    ["a blank within", "Basic YT pi"],
    ["a line feed at the end", "Basic YTpi\n"],
    ["no padding", "Basic YTo"],
    ["too much padding", "Basic YTpi===="],
    ["padding in front", "Basic ==YTpi"],
    ["bits left over", "Basic YTp="],
    ["the alphabet for URLs", "Basic YTpi_-__"],
    ["a byte that is not UTF-8", `Basic ${Buffer.from("a:\xff", "latin1").toString("base64")}`],
    ["UTF-8 longer than it has to be", `Basic ${Buffer.from("a:\xc0\xaf", "latin1").toString("base64")}`],
    ["a NUL", basic("a\0:b")],
    ["a line feed", basic("a:b\n")],
    ["a C1 control character", basic("a:b\u0085")],
    ["Bearer without anything", "Bearer "],
    ["a token of two words", "Bearer a b"],
    ["a token with a quote", 'Bearer a"b'],
    ["a token of padding", "Bearer =="],
    ["a scheme that is none", "Basic: YTpi"],
  ])("refuses %s", (_, header) => {
    expect(parse(header)).toBeUndefined();
  });

  it("refuses one byte above the limit, and takes what is just below", () => {
    const header = `Bearer ${"a".repeat(MAX - 7)}`;
    expect(parse(header)).toMatchObject({ kind: "bearer" });
    expect(parse(`${header}a`)).toBeUndefined();
  });
});

describe("formatChallenge", () => {
  it("asks for Basic in UTF-8 unless told otherwise", () => {
    expect(formatChallenge()).toBe('Basic realm="git", charset="UTF-8"');
    expect(formatChallenge({ realm: 'a "b" \\c', schemes: ["bearer", "basic"] })).toBe(
      'Bearer realm="a \\"b\\" \\\\c", Basic realm="a \\"b\\" \\\\c", charset="UTF-8"',
    );
  });

  it("takes no realm that would break a header", () => {
    expect(() => formatChallenge({ realm: "a\r\nb" })).toThrow(TypeError);
  });
});

it.each([
  ["http://ada:secret@host/x?y", "http://host/x?y"],
  ["//ada@host/x", "//host/x"],
  ["/a//b@c", "/a//b@c"],
])("withoutUserInfo(%s)", (target, shown) => {
  expect(withoutUserInfo(target)).toBe(shown);
});

const SECRET = "correct-horse-battery";

describe("a handler", () => {
  const headers = { authorization: basic(`ada:${SECRET}`) };

  it("passes credentials on with every request, GET and POST", async () => {
    const calls: ServiceCall[] = [];
    const { handler } = handlerOf((call) => {
      calls.push(call);
      return pieces([]);
    });
    await (await handler(new Request(discovery(), { headers }))).text();
    await (await handler(post("0000", { headers }))).text();
    await (await handler(post("0000"))).text();
    const shown = { kind: "basic", user: "ada", password: SECRET };
    expect(calls.map(({ credentials }) => credentials)).toEqual([shown, shown, { kind: "anonymous" }]);
  });

  it("answers 400 to a header that cannot be read, without asking the service", async () => {
    let asked = 0;
    const { handler, lines } = handlerOf((call) => {
      asked++;
      return echo(call);
    });
    const long = `Bearer ${"a".repeat(DEFAULT_HTTP_LIMITS.maxAuthorizationBytes)}`;
    for (const [request, header] of [
      [discovery(), `Basic ${SECRET}`],
      [post("0000"), `Basic ${SECRET}`],
      [discovery(), long],
    ] as const) {
      request.headers.set("authorization", header);
      const response = await handler(request);
      expect(response.status).toBe(400);
      expect(await response.text()).toBe("Bad Authorization header\n");
    }
    expect(asked).toBe(0);
    expect(JSON.stringify(lines)).not.toContain(SECRET);
  });

  it("asks with the realm that it was given, on HEAD too", async () => {
    const { handler } = handlerOf(
      () => {
        throw new ServiceError("server-core/unauthenticated", "who are you?");
      },
      { authentication: { realm: "our code", schemes: ["basic", "bearer"] } },
    );
    for (const request of [discovery(), discovery("git-upload-pack", undefined, "HEAD"), post("0000")]) {
      const response = await handler(request);
      expect(response.status).toBe(401);
      expect(response.headers.get("www-authenticate")).toBe(
        'Basic realm="our code", charset="UTF-8", Bearer realm="our code"',
      );
      expect(await response.text()).toBe(request.method === "HEAD" ? "" : "Authentication is required\n");
    }
  });

  it("says when to come back after too many failures", async () => {
    const { handler } = handlerOf(() => {
      throw new ServiceError("server-core/throttled", "too many failed attempts", { retryAfterMs: 6100 });
    });
    const response = await handler(discovery());
    expect([response.status, response.headers.get("retry-after")]).toEqual([429, "7"]);
  });

  it("decides by route, method and service, whatever else the query says", async () => {
    const asked: string[] = [];
    const service = createGitService({
      repositories: async () => undefined,
      limits: { refusalStepMs: 0 },
      authorize: async ({ service: name, credentials }) => {
        asked.push(`${name} ${credentials.kind}`);
        return { granted: false, reason: "credentials" };
      },
    });
    const { handler } = handlerOf(service);
    const targets: [string, string, number][] = [
      ["GET", "/demo.git/info/refs?service=git-receive-pack", 401],
      ["GET", "/demo.git/info/refs?go-get=1&service=git-receive-pack", 401],
      ["GET", "/demo.git/info/refs?%73ervice=git-receive-pack", 401],
      ["GET", "/demo.git/info/refs?service=git-upload-pack&service=git-receive-pack", 400],
      ["GET", "/demo.git/info/refs?service=git-receive-pack&%73ervice=git-receive-pack", 400],
      ["POST", "/demo.git/git-receive-pack?service=git-upload-pack", 401],
      ["POST", "/demo.git/git-receive-pack?go-get=1", 401],
    ];
    for (const [method, target, status] of targets) {
      const request = new Request(`http://host${target}`, {
        method,
        headers: { "content-type": "application/x-git-receive-pack-request" },
        body: method === "POST" ? "0000" : null,
      });
      expect((await handler(request, { rawTarget: target })).status, target).toBe(status);
    }
    expect(asked).toEqual(Array(5).fill("git-receive-pack anonymous"));
  });

  it("answers alike whether a repository is missing, hidden or asks for somebody else", async () => {
    const service = createGitService({
      repositories: async () => undefined,
      limits: { refusalStepMs: 0 },
      authorize: async ({ repository, credentials }) => {
        if (repository === "/missing.git") return { granted: true };
        return { granted: false, reason: credentials.kind === "anonymous" ? "credentials" : "hidden" };
      },
    });
    const { handler } = handlerOf(service);
    const answer = async (name: string, init: RequestInit) => {
      const url = `http://host/${name}.git/${init.method === "POST" ? "git-upload-pack" : "info/refs?service=git-upload-pack"}`;
      const response = await handler(new Request(url, init));
      return [response.status, [...response.headers], await response.text()];
    };
    const type = { "content-type": "application/x-git-upload-pack-request" };
    for (const [init, status] of [
      [{ method: "GET" }, 401],
      [{ method: "POST", headers: type, body: "0000" }, 401],
      [{ method: "GET", headers }, 404],
      [{ method: "POST", headers: { ...type, ...headers }, body: "0000" }, 404],
    ] as const) {
      const missing = await answer("missing", init);
      expect(missing[0]).toBe(status);
      expect(await answer("hidden", init)).toEqual(missing);
    }
  });

  it("does not log what somebody put into a URL", async () => {
    const { handler, lines } = handlerOf(echo);
    await handler(discovery(), { rawTarget: `http://ada:${SECRET}@host/nothing` });
    expect(lines).toEqual([expect.objectContaining({ target: "http://host/nothing" })]);
  });
});
