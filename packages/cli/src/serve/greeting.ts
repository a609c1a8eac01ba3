import { printable } from "../printable.ts";
import type { Terminal } from "../terminal.ts";
import { baseUrl, cloneLine, findRepositoryNames } from "./clone-lines.ts";
import type { Port } from "./ports.ts";

const MAX_SHOWN = 5;

/** Says on standard output what is served where, and what to try. */
export async function greet(
  terminal: Terminal,
  about: {
    readonly root: string;
    readonly demo: boolean;
    readonly pushes: boolean | "by-rules";
    readonly ports: readonly Port[];
    /** Where the admin's port is. */
    readonly admin: string | undefined;
  },
): Promise<void> {
  const lines = [`serving ${printable(about.root)}${about.demo ? ", with a new demo repository" : ""}`];
  for (const port of about.ports)
    lines.push(
      `  ${baseUrl(port)}/${port.insteadOf === undefined ? "" : ` (port ${port.insteadOf} is taken, so this is a free one)`}`,
    );
  for (const { fingerprint } of about.ports)
    if (fingerprint !== undefined) lines.push(`the key of the ssh:// server is ${fingerprint}`);
  if (about.admin !== undefined) lines.push(`  ${about.admin}/ for /livez, /readyz and /metrics`);
  lines.push(pushWords(about.pushes));
  const names = await findRepositoryNames(about.root, MAX_SHOWN + 1);
  if (names.length === 0) lines.push("no repository yet");
  else lines.push("", "try:");
  for (const name of names.slice(0, MAX_SHOWN))
    for (const port of about.ports) lines.push(`  ${cloneLine(port, name)}`);
  if (names.length > MAX_SHOWN) lines.push("  and so on for the others");
  terminal.stdout.write(`${lines.join("\n")}\n`);
}

function pushWords(pushes: boolean | "by-rules"): string {
  if (pushes === "by-rules") return "who may read and push is as the rules say";
  return pushes ? "pushes are allowed" : "pushes are off; --enable receive-pack allows them, to everybody";
}
