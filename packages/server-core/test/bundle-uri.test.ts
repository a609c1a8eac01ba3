import { delim, encodePackets, flush } from "@x/pktline";
import { describe, expect, it } from "vitest";
import { MemoryRepository } from "./memory-repository.ts";
import { serve } from "./story.ts";

function makeRepository(): MemoryRepository {
  const repository = new MemoryRepository();
  repository.configure("uploadpack.advertiseBundleURIs", "true");
  return repository;
}

const ask = (repository: MemoryRepository, ...lines: (string | typeof delim)[]) =>
  serve(repository, { input: [encodePackets(["command=bundle-uri", ...lines, flush])] });

describe("bundle-uri", () => {
  it("tells the settings of the section, in order, without line feeds", async () => {
    const repository = makeRepository();
    repository.configure("bundle.version", "1");
    repository.configure("bundle.mode", "all");
    repository.configure("remote.origin.url", "https://elsewhere.example");
    repository.configure("bundle.One.URI", "https://example.com/one.bundle?a=b");
    repository.configure("bundle.One.empty", "");
    repository.configure("bundle.One.bare");
    repository.configure("bundle.two.creationToken", "7");
    const told = [
      "bundle.version=1",
      "bundle.mode=all",
      "bundle.One.uri=https://example.com/one.bundle?a=b",
      "bundle.two.creationtoken=7",
      "flush",
    ];
    expect((await ask(repository)).packets).toEqual(told);
    expect((await ask(repository, delim)).packets).toEqual(told);
  });

  it("has nothing to tell where nothing is set", async () => {
    expect((await ask(makeRepository())).packets).toEqual(["flush"]);
  });

  it("takes no arguments", async () => {
    expect((await ask(makeRepository(), delim, "x")).packets).toEqual([
      "ERR bundle-uri: unexpected argument: 'x'",
    ]);
    expect((await ask(makeRepository(), delim, delim)).packets).toEqual([
      "ERR bundle-uri: expected flush after arguments",
    ]);
  });

  it("is announced, and known, only where it is on", async () => {
    const off = new MemoryRepository();
    expect((await ask(off)).packets).toEqual(["ERR invalid command 'bundle-uri'"]);
    expect((await serve(off, { mode: "advertise" })).text).not.toContain("bundle-uri");
    expect((await serve(makeRepository(), { mode: "advertise" })).packets).toContain("bundle-uri\n");
  });
});
