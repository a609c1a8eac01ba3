import { configBoolean } from "../config-value.ts";
import type { RepositoryConfig } from "../ports.ts";

/*
 * The value of the capability: remotes with `;` between them, each `name=<name>,url=<url>` and then those of
 * `,partialCloneFilter=<spec>` and `,token=<token>` that are to be told, with %xx for `,`, `;`, `%` and what is not
 * printable ASCII. Spec: gitprotocol-v2, "promisor-remote=<pr-info>".
 */

/** A remote that holds what this repository leaves out. */
interface PromisorRemote {
  readonly name: string;
  readonly url: string;
}

const FIELDS: readonly string[] = ["partialCloneFilter", "token"];

/**
 * What the capability says of the remotes that clients may turn to; `undefined` when there is nothing to say.
 * Spec: git-config, `promisor.advertise`, `promisor.sendFields`.
 */
export function formatPromisorRemotes(config: RepositoryConfig): string | undefined {
  const remotes = promisorRemotes(config);
  if (remotes.length === 0) return undefined;
  const asked = (config.get("promisor.sendFields") ?? "")
    .split(",")
    .map((field) => field.trim().toLowerCase());
  const fields = FIELDS.filter((field) => asked.includes(field.toLowerCase()));
  const one = ({ name, url }: PromisorRemote): string => {
    const more = fields.map((field): [string, string] => [
      field,
      config.get(`remote.${name}.${field}`) ?? "",
    ]);
    return [["name", name], ["url", url], ...more]
      .filter(([, value]) => value !== "")
      .map(([field, value]) => `${field}=${encode(value as string)}`)
      .join(",");
  };
  return remotes.map(one).join(";");
}

/**
 * Whether the client may fetch from one of these remotes what is missing here.
 * @param accepted the client's `promisor-remote` capability: names with `;` between them
 */
export function acceptsPromisor(config: RepositoryConfig, accepted: string | undefined): boolean {
  if (accepted === undefined) return false;
  const known = new Set(promisorRemotes(config).map(({ name }) => name));
  return accepted.split(";").some((name) => known.has(decode(name)));
}

function promisorRemotes(config: RepositoryConfig): PromisorRemote[] {
  if (configBoolean(config, "promisor.advertise") !== true) return [];
  const names = new Set<string>();
  for (const { key } of config.entries?.("remote.") ?? []) {
    const name = key.slice("remote.".length, key.lastIndexOf("."));
    if (key.endsWith(".promisor") && configBoolean(config, key) === true) names.add(name);
    // Whoever says what it leaves out has a promise too.
    else if (key.endsWith(".partialclonefilter")) names.add(name);
  }
  const old = config.get("extensions.partialClone");
  if (old !== undefined) {
    names.delete(old); // the old way to say it comes last
    names.add(old);
  }
  return [...names].flatMap((name) => {
    const url = config.get(`remote.${name}.url`) ?? "";
    return url === "" ? [] : [{ name, url }];
  });
}

function encode(text: string): string {
  return text.replace(
    /[^!-~]|[,;%]/g,
    (char) => `%${(char.charCodeAt(0) & 255).toString(16).padStart(2, "0")}`,
  );
}

function decode(text: string): string {
  return text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number(`0x${hex}`)));
}
