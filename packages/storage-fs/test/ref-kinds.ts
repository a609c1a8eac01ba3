import { readdirSync } from "node:fs";
import { git, hideFiles, temporaryDirectory, writeReftable, writeReftableStack } from "@tooling/test-kit";
import type { ObjectFormat, ObjectId } from "@x/objects";
import type { RefEdit, RefOutcome, RefStore } from "@x/refs";
import { listAll, openRefs } from "./open-refs.ts";

/** What may keep a repository's refs. */
export const REF_KINDS = ["files", "reftable"] as const;
export type RefKind = (typeof REF_KINDS)[number];

/** An empty bare repository whose HEAD stands for `refs/heads/main`. */
export async function emptyOf(
  kind: RefKind,
  objectFormat: ObjectFormat = "sha1",
  config: Readonly<Record<string, string>> = {},
): Promise<string> {
  const directory = `${temporaryDirectory(kind)}/r.git`;
  await git(["init", "-q", "--bare", `--object-format=${objectFormat}`, directory]);
  await git(["symbolic-ref", "HEAD", "refs/heads/main"], { cwd: directory });
  for (const [key, value] of Object.entries(config)) await git(["config", key, value], { cwd: directory });
  if (kind === "files") return directory;
  const head = { name: "HEAD", value: { symbolic: "refs/heads/main" } };
  writeReftableStack(directory, [writeReftable([head], { objectFormat })]);
  await git(["config", "core.repositoryFormatVersion", "1"], { cwd: directory });
  await git(["config", "extensions.refStorage", "reftable"], { cwd: directory });
  hideFiles(directory);
  return directory;
}

/** An id, of no object. */
export function idOf(digit: string, format: ObjectFormat = "sha1"): ObjectId {
  return digit.repeat(format === "sha1" ? 40 : 64) as ObjectId;
}

export const create = (name: string, next: ObjectId): RefEdit => ({ name, expected: "absent", next });
export const update = (name: string, expected: RefEdit["expected"], next: ObjectId): RefEdit => ({
  name,
  expected,
  next,
});
export const remove = (name: string, expected: RefEdit["expected"]): RefEdit => ({
  name,
  expected,
  next: "delete",
});

export const reasons = (outcomes: readonly RefOutcome[]): string[] =>
  outcomes.map((outcome) => (outcome.status === "ok" ? "ok" : outcome.reason));

/** What the refs hold, looked up one by one as well. */
export async function stateOf(refs: RefStore): Promise<Record<string, string>> {
  const state: Record<string, string> = {};
  for (const { name, target } of await listAll(refs)) {
    state[name] = target.kind === "id" ? target.id : `ref: ${target.name}`;
    const alone = (await refs.get(name))?.target;
    if (JSON.stringify(alone) !== JSON.stringify(target)) state[name] = "not the same twice";
  }
  return state;
}

/** The same through a store that remembers nothing. */
export async function freshStateOf(directory: string): Promise<Record<string, string>> {
  return stateOf(await openRefs(directory));
}

/** Locks and half-written files that nobody should leave. */
export function leftoversIn(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: "latin1" }).filter((name) =>
    /\.lock$|\.new$|\.temp\.|xgit-journal\/./.test(name),
  );
}
