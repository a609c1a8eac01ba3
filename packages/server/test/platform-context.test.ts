import { describe, expect, it } from "vitest";
import { contextOf } from "../src/platform-context.ts";

const request = new Request("http://localhost/");

describe("what a runtime passes beside a request", () => {
  it("is a context where it looks like one", () => {
    const peer = { address: "10.0.0.1", user: "me" };
    expect(contextOf(request, { peer, rawTarget: "/x" })).toEqual({ peer, rawTarget: "/x" });
    expect(contextOf(request, { rawTarget: "/x" })).toEqual({ rawTarget: "/x" });
    expect(contextOf(request, { peer })).toEqual({ peer });
  });

  it("tells the client's address under Deno and Bun", () => {
    const deno = {
      remoteAddr: { hostname: "10.0.0.2", port: 1, transport: "tcp" },
      completed: Promise.resolve(),
    };
    expect(contextOf(request, deno)).toEqual({ peer: { address: "10.0.0.2" } });
    const bun = {
      address: "10.0.0.3",
      requestIP(asked: Request) {
        return asked === request ? { address: this.address, port: 2 } : null;
      },
    };
    expect(contextOf(request, bun)).toEqual({ peer: { address: "10.0.0.3" } });
  });

  it.each([
    ["nothing", undefined],
    ["null", null],
    [
      "bindings that are called as we would call things",
      { peer: { get() {} }, rawTarget: 1, remoteAddr: "x" },
    ],
    ["a Bun server whose client has left", { requestIP: () => null }],
    [
      "one that throws",
      {
        requestIP() {
          throw new Error("gone");
        },
      },
    ],
  ])("is passed over when it is %s", (_, platform) => {
    expect(contextOf(request, platform)).toEqual({});
  });
});
