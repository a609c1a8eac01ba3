import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type {
  Hooks,
  Logger,
  ProcReceiveAnswer,
  PushContext,
  ReceivedContext,
  Repository,
} from "@x/server-core";
import type { ConfiguredHook } from "./configured-hooks.ts";
import { FileHooksError } from "./errors.ts";
import type { Environment } from "./hook-environment.ts";
import { pushEnvironment, serverEnvironment } from "./hook-environment.ts";
import { changeLines, commandLines } from "./hook-input.ts";
import { HookRunner } from "./hook-runner.ts";
import { DEFAULT_FILE_HOOK_LIMITS, type FileHookLimits } from "./limits.ts";
import { type ProcReceiveTalk, talkToProcReceive } from "./proc-receive.ts";

/** How {@link createFileHooks} goes about it. All of it is the operator's to say, and nothing of it a repository's. */
export interface FileHooksOptions {
  /**
   * Where the scripts are instead of `hooks` in `$GIT_DIR`, where a relative path starts.
   * Spec: git-config, `core.hooksPath`
   */
  readonly hooksPath?: string | ((repository: Repository) => string | undefined) | undefined;
  /** Run before the script of the same event. @see configuredHooks */
  readonly configured?: readonly ConfiguredHook[] | undefined;
  /** What hooks have in their environment beside what git gives them; {@link serverEnvironment} of this process when not given. */
  readonly environment?: Environment | ((context: PushContext) => Environment) | undefined;
  /**
   * `safe`, as when not given, shows control characters of a hook's output instead of passing them on, colours
   * excepted; `verbatim` leaves that to the client.
   */
  readonly output?: "safe" | "verbatim" | undefined;
  readonly limits?: Partial<FileHookLimits> | undefined;
  readonly logger?: Logger | undefined;
}

const EVENTS = [
  "pre-receive",
  "proc-receive",
  "update",
  "push-to-checkout",
  "reference-transaction",
  "post-receive",
  "post-update",
];

/** Git's hook scripts as hooks of a server. */
export interface FileHooks extends Hooks {
  /** Waits for hooks that run, and after `graceMs` kills those too that no push can call off any more. Unit: milliseconds. */
  readonly close: (options?: { readonly graceMs?: number }) => Promise<void>;
}

/**
 * Runs the scripts in a repository's `hooks`, as C git's receive-pack does: each in `$GIT_DIR`, with git's arguments,
 * input and environment, its output shown while it runs. A repository without `directory` has none.
 * Spec: githooks; git-receive-pack.
 */
export function createFileHooks(options: FileHooksOptions = {}): FileHooks {
  const runner = new HookRunner({
    ...options,
    hooksPath: pathOf(options.hooksPath),
    configured: options.configured ?? [],
    environment: environmentOf(options.environment),
    verbatim: options.output === "verbatim",
    limits: { ...DEFAULT_FILE_HOOK_LIMITS, ...options.limits },
    logger: options.logger,
  });
  return {
    attends: (context) => runner.attends(context, EVENTS),

    async preReceive(context) {
      const words = pushEnvironment(context);
      const result = await runner.run(context, "pre-receive", {
        extra: () => context.environment,
        words,
        input: commandLines(context.allCommands),
      });
      return result === "failed" ? "pre-receive hook declined" : undefined;
    },

    procReceive: (context) => procReceive(runner, context),

    async update(context, { ref, oldId, newId }) {
      const result = await runner.run(context, "update", { args: [ref, oldId, newId] });
      if (result !== "failed") return undefined;
      context.progress(`error: hook declined to update ${Buffer.from(ref, "latin1").toString("utf8")}\n`);
      return "hook declined";
    },

    async pushToCheckout(context, { newId }, workTree) {
      const { directory } = context.repository;
      if (directory === undefined) return false;
      const extra = new Map([
        ["GIT_DIR", await gitDirectoryOf(workTree, directory)],
        ["GIT_WORK_TREE", resolve(directory, workTree)],
      ]);
      const result = await runner.run(context, "push-to-checkout", { extra: () => extra, args: [newId] });
      if (result === "missing") return false;
      return result === "failed" ? "push-to-checkout hook declined" : undefined;
    },

    async referenceTransaction(context, phase, changes) {
      const input = changeLines(changes, context.repository.objectFormat);
      const over = phase === "committed" || phase === "aborted";
      const result = await runner.run(context, "reference-transaction", {
        args: [phase],
        input,
        over,
      });
      if (result === "failed" && !over)
        throw new FileHooksError(
          "file-hooks/declined",
          `in '${phase}' phase, update aborted by the reference-transaction hook`,
        );
    },

    async postReceive(context) {
      if (context.commands.length === 0) return;
      const words = pushEnvironment(context);
      const input = commandLines(context.commands);
      await runner.run(context, "post-receive", { words, input, over: true });
    },

    async postUpdate(context) {
      if (context.commands.length === 0) return;
      const args = context.commands.map(({ ref }) => ref);
      await runner.run(context, "post-update", { args, over: true });
    },

    close: ({ graceMs = 0 } = {}) => runner.close(graceMs),
  };
}

function pathOf(path: FileHooksOptions["hooksPath"]): (repository: Repository) => string | undefined {
  return typeof path === "function" ? path : () => path;
}

function environmentOf(given: FileHooksOptions["environment"]): (context: PushContext) => Environment {
  if (given === undefined) return serverEnvironment(process.env);
  return typeof given === "function" ? given : () => given;
}

async function procReceive(
  runner: HookRunner,
  context: ReceivedContext,
): Promise<ReadonlyMap<string, readonly ProcReceiveAnswer[]> | undefined> {
  const { commands } = context;
  let talk: ProcReceiveTalk | undefined;
  const result = await runner.run(context, "proc-receive", {
    talk: async (stdin, stdout, limits) => {
      talk = await talkToProcReceive(context, commands, { stdin, stdout }, limits.maxReportBytes);
    },
  });
  if (result === "missing") return undefined;
  const complaints = talk?.complaints ?? [];
  if (complaints.length > 0) {
    const text = Buffer.from(complaints.join("\n"), "latin1").toString("utf8");
    context.progress(`error: ${text}\n`);
  }
  if (talk?.answers === undefined)
    throw new FileHooksError("file-hooks/proc-receive-failed", "fail to run proc-receive hook");
  return talk.answers;
}

/** A linked work tree names its own. */
async function gitDirectoryOf(workTree: string, directory: string): Promise<string> {
  const text = await readFile(join(workTree, ".git"), "utf8").catch(() => "");
  const path = text.startsWith("gitdir: ") ? text.slice("gitdir: ".length).trimEnd() : "";
  return path === "" ? resolve(directory) : resolve(workTree, path);
}
