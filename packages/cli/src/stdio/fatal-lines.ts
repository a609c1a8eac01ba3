import { ObjectsError } from "@x/objects";
import { ServiceError } from "@x/server-core";
import { CliError } from "../errors.ts";
import { printable } from "../printable.ts";

/**
 * What standard error says of an error that ends a command, in git's form: `fatal: ` and why. Of a repository
 * that is damaged it says more than the client is told, in the words that C git's scripts look for.
 */
export function fatalLines(error: unknown): string {
  if (error instanceof CliError) {
    const word = error.code === "cli/usage" ? "error" : "fatal";
    return `${error.before}${word}: ${messageOf(error)}\n${error.after}`;
  }
  const lines: string[] = [];
  let fatal = messageOf(error);
  if (error instanceof ServiceError && error.cause instanceof ObjectsError) {
    if (error.code === "server-core/internal") lines.push(`error: ${messageOf(error.cause)}`);
    if (fatal.startsWith("aborting due to")) {
      lines.push("error: git upload-pack: git-pack-objects died with error.");
      fatal = `git upload-pack: ${fatal}`;
    }
  }
  return [...lines, `fatal: ${fatal}`].map((line) => `${line}\n`).join("");
}

function messageOf(error: unknown): string {
  return printable(error instanceof Error ? error.message : String(error));
}
