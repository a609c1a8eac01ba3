import { expect, test } from "vitest";
import { configuredHooks } from "../src/index.ts";

const read = (text: string) =>
  configuredHooks(
    text.split("\n").map((line) => {
      const [key = "", value] = line.split("=");
      return { key, value };
    }),
  ).map(({ name, event, command }) => `${event}: ${name}: ${command}`);

test("a command runs for each of its events, in the order in which they were last named", () => {
  expect(
    read(`hook.lint.command=lint
hook.lint.event=pre-receive
hook.scan.event=pre-receive
hook.lint.event=update
hook.scan.command=old
hook.scan.command=scan it
hook.lint.event=pre-receive`),
  ).toEqual(["pre-receive: scan: scan it", "pre-receive: lint: lint", "update: lint: lint"]);
});

test("an empty event forgets those before, and enabled switches", () => {
  expect(
    read(`hook.a.command=a
hook.a.event=update
hook.a.event=
hook.a.event=post-update
hook.b.command=b
hook.b.event=update
hook.b.enabled=false
hook.c.command=c
hook.c.event=update
hook.c.enabled=no
hook.c.enabled=true
hook.d.event=update
hook.e.command=e
hook.e.event=pre-receive
hook.pre-receive.enabled=off
hook.jobs=4
hook.c.event`),
  ).toEqual(["update: c: c", "post-update: a: a"]);
});
