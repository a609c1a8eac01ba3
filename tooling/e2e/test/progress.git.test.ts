import { git, temporaryDirectory } from "@tooling/test-kit";
import { describe, expect, it } from "vitest";
import { copyRepository, grow, makeRich } from "./fixtures.ts";
import { startServer } from "./server.ts";
import { stockWay, TRANSPORTS, VERSIONS, type Way, wayTo } from "./way.ts";

const root = temporaryDirectory("root");
const stockRoot = temporaryDirectory("stock");
await makeRich(`${root}/repo.git`, "sha1");
copyRepository(`${root}/repo.git`, `${stockRoot}/repo.git`);
const server = await startServer(root);
const work = `${temporaryDirectory("work")}/w.git`;
await git(["clone", "-q", "--bare", `${root}/repo.git`, work]);
await grow(work, "main", 150); // above receive.unpackLimit, so that C git indexes too

const WAYS = TRANSPORTS.flatMap((transport) =>
  VERSIONS.map((version) => [`${transport}, v${version}`, transport, version] as const),
);

/** What the server said, without what it wrote over later. git's own progress stands between. */
function remoteLines(stderr: string): string[] {
  return stderr
    .split(/[\r\n]/)
    .filter((line) => line.startsWith("remote: "))
    .map((line) => line.replace(/^remote: /, "").trim())
    .filter(
      (line) => line !== "" && (/done\.$/.test(line) || !/objects: +\d+(?:%.*)?$|deltas: +\d+%/.test(line)),
    );
}

/** How much reuse there is, and how much was compressed anew, is each server's own matter. */
function titles(lines: readonly string[]): string[] {
  return lines.map((line) =>
    line.replace(/^(Total \d+) .*/, "$1").replace(/^(Compressing objects): .*/, "$1"),
  );
}

async function fetchWith(way: Way, ...flags: string[]) {
  const directory = `${temporaryDirectory("clone")}/c`;
  const { status, stderr } = await way.tryGit(["clone", ...flags, way.url("repo.git"), directory]);
  expect(status).toBe(0);
  return stderr;
}

describe.each(WAYS)("over %s", (_, transport, version) => {
  const ours = wayTo(server, transport, version);
  const stock = stockWay(root, version);

  it("a clone shows what it shows with C git", async () => {
    const [mine, theirs] = await Promise.all([ours, stock].map((way) => fetchWith(way, "--progress")));
    const lines = remoteLines(mine as string);
    expect(lines.join("\n")).toMatch(/^Enumerating objects: \d+, done\.$/m);
    expect(lines.join("\n")).toMatch(/^Counting objects: 100% \((\d+)\/\1\), done\.$/m);
    expect(lines.at(-1)).toMatch(
      /^Total \d+ \(delta \d+\), reused \d+ \(delta \d+\), pack-reused \d+(?: \(from \d+\))?$/,
    );
    const count = (text: readonly string[]) => text.find((line) => line.startsWith("Total"))?.split(" ")[1];
    expect(count(lines)).toBe(count(remoteLines(theirs as string)));
    const without = (text: string) =>
      titles(remoteLines(text)).filter((line) => !/^(?:Enum|Count|Compress)/.test(line));
    expect(without(mine as string)).toEqual(without(theirs as string));
  });

  it("and nothing with -q, or when nobody looks", async () => {
    expect(await fetchWith(ours, "-q")).toBe("");
    expect(remoteLines(await fetchWith(ours, "--no-progress"))).toEqual(
      remoteLines(await fetchWith(stock, "--no-progress")),
    );
  });

  it("a push shows the server at work, and nothing of it with -q", async () => {
    const ref = `refs/heads/pushed-${transport}-${version}`;
    const way = stockWay(stockRoot, version);
    const push = (to: Way, ...flags: string[]) =>
      to.tryGit(["push", ...flags, to.url("repo.git"), `main:${ref}`], { cwd: work });
    const [mine, theirs] = await Promise.all([push(ours, "--progress"), push(way, "--progress")]);
    expect(mine?.status).toBe(0);
    expect(theirs?.status).toBe(0);
    expect(
      remoteLines(mine?.stderr ?? "").every((line) =>
        /^(?:Resolving deltas|Unpacking objects): 100% /.test(line),
      ),
    ).toBe(true);
    expect(mine?.stderr).toMatch(/^ \* \[new branch\] +main -> pushed-/m);
    const quiet = await ours.tryGit(["push", "-q", ours.url("repo.git"), `main:${ref}-quiet`], { cwd: work });
    expect(quiet).toEqual({ status: 0, stdout: "", stderr: "" });
  });
});
