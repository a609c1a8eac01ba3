import { describe, expect, test } from "vitest";
import { createFileHooks, FileHooksError } from "../src/index.ts";
import { ProcReceiveReport } from "../src/proc-receive-report.ts";
import { command, id, Rig } from "./rig.ts";

/** Shell functions that speak pkt-line. */
const SPEAK = `
say() { printf '%04x%s' $((\${#1} + 4)) "$1"; }
flush() { printf 0000; }
hear() { # one section into $heard, lines by "|"
  heard=
  while :; do
    n=$(dd bs=1 count=4 2>/dev/null)
    case "$n" in 0000|"") return;; esac
    heard="$heard$(dd bs=1 count=$((0x$n - 4)) 2>/dev/null | tr '\\000' '!')|"
  done
}
`;

const MAIN = "refs/for/main";
const OTHER = "refs/for/other";
const commands = [command(MAIN), command(OTHER)];

async function talk(script: string, change: Parameters<Rig["context"]>[0] = {}) {
  const rig = new Rig();
  rig.hook("proc-receive", SPEAK + script);
  const hooks = createFileHooks({
    limits: { timeoutMs: 5000, killGraceMs: 100, lingerMs: 200, maxReportBytes: 100_000 },
  });
  const run = hooks.procReceive?.(rig.context({ commands, ...change }));
  const answers = await run?.catch((error: unknown) => error);
  return { rig, answers };
}

describe("the talk", () => {
  test("tells version, features, commands and push options", async () => {
    const { rig, answers } = await talk(
      `hear; echo "$heard" >got; printf '001bversion=1\\000push-options\\n'; flush
       hear; echo "$heard" >>got; hear; echo "$heard" >>got
       say 'ok ${MAIN}
'; say 'ng ${OTHER} not today'; flush; echo note >&2`,
      { atomic: true, pushOptions: ["one", "", "two w\xf6rds"] },
    );
    const ids = `${id("0")} ${id("1")}`;
    expect(rig.read("got").split("\n")).toEqual([
      "version=1!atomic push-options|",
      `${ids} ${MAIN}|${ids} ${OTHER}|`,
      "one||two w\xf6rds|",
      "",
    ]);
    expect(answers).toEqual(
      new Map([
        [MAIN, [{ status: "done" }]],
        [OTHER, [{ status: "refused", reason: "not today" }]],
      ]),
    );
    expect(rig.shown).toBe("note\n");
  });

  test("is fine with version 0, without features and without an answer for all", async () => {
    const { rig, answers } = await talk(
      `hear; echo "$heard" >got; flush; hear; say 'ok ${MAIN}'; flush; cat >rest`,
      { pushOptions: undefined },
    );
    expect(rig.read("got")).toBe("version=1|\n");
    expect(rig.read("rest")).toBe("");
    expect(answers).toEqual(new Map([[MAIN, [{ status: "done" }]]]));
    expect(rig.shown).toBe("");
  });

  test("takes an answer before all was read, at length", async () => {
    const many = Array.from({ length: 800 }, (_, index) => command(`refs/for/${"x".repeat(100)}${index}`));
    const lines = many
      .map(({ ref }) => `${(ref.length + 7).toString(16).padStart(4, "0")}ok ${ref}`)
      .join("");
    const { answers } = await talk(`flush; printf %s '${lines}'; flush; cat >/dev/null`, {
      commands: many,
    });
    expect((answers as Map<string, unknown>).size).toBe(800);
  });

  test.each([
    ["no greeting", "exit 0", "fail to negotiate version with proc-receive hook"],
    ["no packets", "echo hello there", "fail to negotiate version with proc-receive hook"],
    ["a later version", "hear; say version=2; flush; hear", "proc-receive version '2' is not supported"],
    ["no report", "hear; flush; hear", "proc-receive exited abnormally"],
    ["no packets later", "hear; flush; hear; echo fine", "proc-receive did not report in packets"],
    [
      "an endless greeting",
      "while :; do say version=1; done",
      "fail to negotiate version with proc-receive hook",
    ],
  ])("comes to nothing with %s", async (_name, script, complaint) => {
    const { rig, answers } = await talk(script);
    expect(answers).toBeInstanceOf(FileHooksError);
    expect(answers).toHaveProperty("message", "fail to run proc-receive hook");
    expect(rig.shown).toContain(`error: ${complaint}\n`);
  });

  test("that ends in a report of no lines answers nothing", async () => {
    const { rig, answers } = await talk("hear; flush; hear; flush");
    expect(answers).toEqual(new Map());
    expect(rig.shown).toBe("");
  });

  test("without a hook is left to others", async () => {
    const rig = new Rig();
    expect(await createFileHooks().procReceive?.(rig.context())).toBeUndefined();
    expect(rig.shown).toBe("");
  });

  test("of a hook that says too much is cut short", async () => {
    const { rig, answers } = await talk(
      `hear; flush; hear; say 'ok ${MAIN}'; while say 'ok ${OTHER}'; do :; done`,
    );
    expect(answers).toEqual(
      new Map([
        [MAIN, [{ status: "done" }]],
        [OTHER, [{ status: "done" }]],
      ]),
    );
    expect(rig.shown).toContain("error: proc-receive reported more than 100000 bytes\n");
  });

  test("of a hook that leaves a child behind ends", async () => {
    const { answers } = await talk(`hear; flush; hear; say 'ok ${MAIN}'; sleep 4 & exit 0`);
    expect(answers).toEqual(new Map([[MAIN, [{ status: "done" }]]]));
  });
});

describe("the report", () => {
  const read = (...lines: string[]) => {
    const report = new ProcReceiveReport("sha1");
    for (const line of lines) report.readLine(line);
    return { answers: Object.fromEntries(report.answers()), complaints: report.complaints };
  };

  test("may tell of other refs and ids, several times", () => {
    const lines = [
      `ok ${MAIN}`,
      "option refname refs/changes/1",
      `option old-oid ${id("2")}`,
      `ok ${MAIN}`,
      "option refname refs/changes/2",
      `option new-oid ${id("3")}`,
      "option forced-update",
      `ok ${OTHER}`,
      "option fall-through",
    ];
    expect(read(...lines)).toEqual({
      answers: {
        [MAIN]: [
          { status: "done", ref: "refs/changes/1", oldId: id("2") },
          { status: "done", ref: "refs/changes/2", newId: id("3"), forcedUpdate: true },
        ],
        [OTHER]: [{ status: "fall-through" }],
      },
      complaints: [],
    });
  });

  test("that refuses once refuses", () => {
    expect(read(`ok ${MAIN}`, `ng ${MAIN}`, `ng ${OTHER} a b c`).answers).toEqual({
      [MAIN]: [{ status: "refused", reason: "failed" }],
      [OTHER]: [{ status: "refused", reason: "a b c" }],
    });
  });

  test.each([
    ["nonsense", "proc-receive reported incomplete status line: 'nonsense'"],
    ["maybe refs/for/main", "proc-receive reported bad status 'maybe' on ref 'refs/for/main'"],
    ["option refname x", "proc-receive reported 'option' without a matching 'ok/ng' directive"],
  ])("complains of %s", (line, complaint) => {
    expect(read(line, `ok ${OTHER}`)).toEqual({
      answers: { [OTHER]: [{ status: "done" }] },
      complaints: [complaint],
    });
  });

  test("takes no name and no id that the client could not be told", () => {
    const bad = [
      "option refname refs/a\nng refs/b",
      "option refname",
      "option old-oid 12",
      `option new-oid ${"3".repeat(64)}`,
    ];
    const { answers, complaints } = read(`ok ${MAIN}`, ...bad);
    expect(answers).toEqual({ [MAIN]: [{ status: "done" }] });
    expect(complaints).toHaveLength(2);
  });

  test("of mistakes alone is not repeated to the end", () => {
    expect(read(...Array.from({ length: 1000 }, () => "x")).complaints).toHaveLength(20);
  });
});
