import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ObjectId, parseObjectId } from "@x/objects";
import type { Logger, PreReceiveContext, PushCommand, Repository } from "@x/server-core";
import { afterEach } from "vitest";

const rigs: Rig[] = [];

afterEach(() => {
  for (const { directory } of rigs.splice(0)) rmSync(directory, { recursive: true, force: true });
});

/** A directory that a repository could be in, its hooks, and what a push tells them. */
export class Rig {
  readonly directory: string = mkdtempSync(join(tmpdir(), "hooks-test-"));
  readonly controller: AbortController = new AbortController();
  /** What the user was shown; bytes as one character each. */
  shown = "";
  /** How the user reads. */
  drained: () => Promise<void> = async () => {};
  readonly logged: string[] = [];
  readonly logger: Logger = {
    debug: () => {},
    info: () => {},
    warn: (_fields, message) => void this.logged.push(message),
    error: (_fields, message) => void this.logged.push(message),
  };

  constructor() {
    rigs.push(this);
    mkdirSync(join(this.directory, "hooks"));
  }

  /** Writes a script. Its first line says who reads it unless `text` does. */
  hook(name: string, text: string, mode = 0o755): void {
    const path = join(this.directory, name.includes("/") ? name : `hooks/${name}`);
    writeFileSync(path, text.startsWith("#!") ? text : `#!/bin/sh\n${text}\n`);
    chmodSync(path, mode);
  }

  /** What a script has written. */
  read(name: string): string {
    return readFileSync(join(this.directory, name), "latin1");
  }

  context(change: Partial<PreReceiveContext> = {}): PreReceiveContext {
    const commands = change.commands ?? [command("refs/heads/main")];
    return {
      call: {
        service: "git-receive-pack",
        repository: "/x.git",
        version: 0,
        mode: "duplex",
        transport: "git",
        peer: { address: "192.0.2.7" },
        input: (async function* () {})(),
        signal: this.controller.signal,
      },
      repository: this.repository(),
      commands,
      allCommands: commands,
      atomic: false,
      pushOptions: undefined,
      certificate: undefined,
      signal: this.controller.signal,
      progress: (text) => {
        this.shown += typeof text === "string" ? text : Buffer.from(text).toString("latin1");
      },
      drained: () => this.drained(),
      objects: {} as PreReceiveContext["objects"],
      received: async function* () {},
      environment: new Map(),
      ...change,
    };
  }

  repository(change: Partial<Repository> = {}): Repository {
    return {
      objectFormat: "sha1",
      objects: {} as Repository["objects"],
      refs: {} as Repository["refs"],
      config: { get: () => undefined, getAll: () => [] },
      bare: true,
      directory: this.directory,
      ...change,
    };
  }
}

/** A sha1 of one digit. */
export function id(digit: string): ObjectId {
  return parseObjectId(digit.repeat(40), "sha1") as ObjectId;
}

export function command(ref: string, oldId: ObjectId = id("0"), newId: ObjectId = id("1")): PushCommand {
  return { ref, oldId, newId };
}

/** Whether a process of that number is there. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 10));
}
