import { spawn } from "node:child_process";
import { CliError } from "../errors.ts";

/** Set for the process that goes on in the background. */
const BACKGROUND = "XGIT_IN_BACKGROUND";

/**
 * Starts this command once more, without a terminal, in a session of its own, and waits until that one says that it is
 * {@link ready}: what stands in its way then is still told here. Node cannot fork.
 * @returns the exit status
 * @throws CliError `cli/fatal`
 */
export function detach(env: Readonly<Record<string, string | undefined>>): Promise<number> {
  const child = spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
    env: { ...env, [BACKGROUND]: "1" },
    detached: true,
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  return new Promise((resolve, reject) => {
    child.once("error", (cause) => reject(new CliError("cli/fatal", "cannot detach", { cause })));
    child.once("exit", (code) => resolve(code ?? 1));
    child.once("message", () => {
      child.disconnect();
      child.unref();
      resolve(0);
    });
  });
}

/** Whether this is the process that {@link detach} started. */
export function inBackground(env: Readonly<Record<string, string | undefined>>): boolean {
  return env[BACKGROUND] === "1" && process.send !== undefined;
}

/** Lets the process that started this one end. */
export function ready(): void {
  process.send?.("ready");
}
