import { createTestRepository, tryGit } from "@tooling/test-kit";
import { type ObjectId, type ObjectType, parseObjectId } from "@x/objects";
import { encodeLatin1 } from "@x/pktline";
import { MemoryRepository } from "./memory-repository.ts";
import { packetsOf } from "./story.ts";

/** A repository of stock git, and its copy in memory. */
export interface Twins {
  readonly ours: MemoryRepository;
  readonly gitDirectory: string;
  readonly id: (name: string) => ObjectId;
}

/** A repository of stock git with branches, a merge, nested tags and symbolic refs, and its copy in memory. */
export async function makeTwins(format: "sha1" | "sha256"): Promise<Twins> {
  const theirs = await createTestRepository({ objectFormat: format });
  for (let i = 1; i <= 6; i++) await theirs.commit(`c${i}`);
  await theirs.git("branch", "side", "main~3");
  await theirs.git("tag", "light", "main~4");
  await theirs.git("tag", "-a", "-m", "v1", "v1", "main~2");
  await theirs.git("tag", "-a", "-m", "v2", "v2", "v1");
  await theirs.git("symbolic-ref", "refs/heads/alias", "refs/heads/side");
  await theirs.git("pack-refs", "--all");
  const names = new Map<string, ObjectId>();
  const ours = new MemoryRepository(format);
  const list = await theirs.git(
    "cat-file",
    "--batch-all-objects",
    "--batch-check=%(objecttype) %(objectname)",
  );
  for (const line of list.split("\n")) {
    const [type = "", name = ""] = line.split(" ");
    const { stdout } = await tryGit(["cat-file", type, name], { cwd: theirs.directory });
    ours.objects.graph.add(type as ObjectType, encodeLatin1(stdout));
  }
  const id = (name: string): ObjectId => {
    const found = names.get(name);
    if (found === undefined) throw new Error(`no ${name}`);
    return found;
  };
  for (const name of [
    "main",
    "main~1",
    "main~2",
    "main~3",
    "main~4",
    "main~5",
    "side",
    "light",
    "v1",
    "v2",
  ]) {
    const hex = await theirs.git("rev-parse", name);
    names.set(name, parseObjectId(hex, format) as ObjectId);
  }
  for (const branch of ["main", "side"]) ours.refs.set(`refs/heads/${branch}`, id(branch));
  for (const tag of ["light", "v1", "v2"]) ours.refs.set(`refs/tags/${tag}`, id(tag));
  ours.refs.point("refs/heads/alias", "refs/heads/side");
  return { ours, gitDirectory: theirs.gitDirectory, id };
}

/** Packets without the agent, and without what a pack is made of. */
export function comparable(text: string): string[] {
  const packets = packetsOf(text).map((packet) => packet.replace(/agent=[^\s\0]+/, "agent=x"));
  const pack = packets.findIndex((packet) => /^(?:packfile|\p{Cc}|PACK)/u.test(packet));
  return pack < 0 ? packets : [...packets.slice(0, pack), "the pack"];
}
