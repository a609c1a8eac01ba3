// The house plan's dependency table as data: who may know whom. Change it here on purpose, never to get past the check.
//   level    arrows go downwards only
//   uses     the packages of ours that it may import
//   others   the third-party packages that it may import
//   neutral  runs anywhere: no node:*, no Buffer, no process, except in its ./node door (src/node.ts, src/node/, src/node-*.ts)

/** Folder name below packages/ → what the plan allows it. Some of the packages are still to come. */
export const TABLE = new Map(
  Object.entries({
    pktline: { level: 0, uses: [], others: [], neutral: true },
    objects: { level: 0, uses: [], others: ["@noble/hashes"], neutral: true },
    refs: { level: 1, uses: ["objects"], others: [], neutral: true },
    pack: { level: 1, uses: ["objects"], others: ["pako"], neutral: true },
    archive: { level: 1, uses: ["objects"], others: ["pako"], neutral: true },
    "server-core": { level: 2, uses: ["pktline", "objects", "refs"], others: [], neutral: true },
    "storage-core": { level: 2, uses: ["objects", "refs", "pack"], others: [], neutral: true },
    "storage-fs": { level: 2, uses: ["objects", "refs", "pack", "archive"], others: [], neutral: false },
    conformance: { level: 2, uses: ["objects", "refs"], others: [], neutral: true },
    "storage-memory": {
      level: 3,
      uses: ["objects", "refs", "pack", "archive", "storage-core"],
      others: [],
      neutral: true,
    },
    "file-hooks": {
      level: 3,
      uses: ["server-core", "objects", "refs", "pktline"],
      others: [],
      neutral: false,
    },
    "push-certificates": { level: 3, uses: ["server-core"], others: ["openpgp"], neutral: false },
    "transport-http": { level: 3, uses: ["server-core", "pktline"], others: ["pako"], neutral: true },
    "transport-tcp": { level: 3, uses: ["server-core", "pktline"], others: [], neutral: false },
    "transport-ssh": { level: 3, uses: ["server-core", "pktline"], others: ["ssh2"], neutral: false },
    "access-rules": {
      level: 3,
      uses: ["server-core"],
      others: ["bcryptjs", "unixcrypt"],
      neutral: false,
    },
    server: {
      level: 4,
      uses: ["server-core", "transport-http", "transport-tcp", "transport-ssh"],
      others: [],
      neutral: true,
    },
    cli: {
      level: 4,
      uses: [
        "pktline",
        "objects",
        "refs",
        "pack",
        "archive",
        "server-core",
        "storage-core",
        "storage-fs",
        "storage-memory",
        "file-hooks",
        "push-certificates",
        "transport-http",
        "transport-tcp",
        "transport-ssh",
        "access-rules",
      ],
      others: ["commander", "pino", "prom-client", "smol-toml", "ssh2", "valibot"],
      neutral: false,
    },
  }),
);

/** The scope of the packages that are published. */
export const SCOPE = "@x/";

/** What tests and examples may import besides published packages. */
export const TEST_ONLY = ["vitest", "@tooling/test-kit", "fast-check"];

/** The most lines of a file, by the folder it is in. */
export const MAX_LINES = new Map([
  ["src", 400],
  ["test", 800],
  ["examples", 400],
]);

/** Names that say nothing about what is inside. */
export const FORBIDDEN_NAMES = new Set(["util", "utils", "helper", "helpers", "type", "types"]);

/**
 * The files that start a program, and never git: one that the operator has named in settings that no repository can make,
 * or has put into a repository's hooks, and mkfifo for the pipes to it; and for git-daemon's flags the access hook,
 * this program itself in the background, and the system's logger.
 */
export const MAY_START_PROGRAMS = new Set([
  "packages/cli/src/archive/run-filter.ts",
  "packages/cli/src/daemon/access-hook.ts",
  "packages/cli/src/daemon/detach.ts",
  "packages/cli/src/daemon/syslog.ts",
  "packages/cli/src/stdio/pack-objects-hook.ts",
  "packages/file-hooks/src/hook-process.ts",
  "packages/file-hooks/src/pipes.ts",
  "packages/push-certificates/src/program/run-program.ts",
]);
