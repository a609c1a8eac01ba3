import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { openDaemonLog } from "../src/daemon/daemon-log.ts";

function open(verbose: boolean, destination: "stderr" | "none" = "stderr") {
  const stderr = new PassThrough();
  const log = openDaemonLog(destination, { verbose, stderr, pid: 7 });
  return { ...log, text: () => String(stderr.read() ?? "") };
}

describe("openDaemonLog", () => {
  it("tells of connections and requests as git-daemon does", () => {
    const { logger, text } = open(true);
    logger.debug({ peer: "::1", port: 5 }, "opened");
    const asked = {
      service: "git-upload-pack",
      path: "/a\nb",
      host: "h",
      port: 9418,
      parameters: ["version=2", "x"],
    };
    logger.debug(asked, "asked");
    logger.info({ mode: "duplex", outcome: "ok" }, "request");
    logger.debug({ outcome: "ok" }, "connection");
    expect(text()).toBe(
      [
        "Connection from [::1]:5",
        'Extended attribute "host": h:9418',
        'Extended attribute "protocol": version=2:x',
        "Request upload-pack for '/a\\x0ab'",
        "Disconnected",
      ]
        .map((line) => `[7] ${line}\n`)
        .join(""),
    );
  });

  it("tells of failures alone when it is not verbose", () => {
    const { logger, info, text } = open(false);
    logger.debug({ peer: "127.0.0.1", port: 5 }, "opened");
    info("nothing");
    logger.warn({ mode: "duplex", outcome: "server-core/refused", reason: "not our ref" }, "request");
    logger.warn(
      { mode: "duplex", outcome: "server-core/service-disabled", reason: "x", service: "git-receive-pack" },
      "request",
    );
    logger.info({ outcome: "transport-tcp/bad-request-line", reason: "bad request line" }, "request");
    logger.warn({ ref: "refs/x" }, "broken ref passed over");
    expect(text()).toBe(
      [
        "fatal: not our ref",
        "'receive-pack': service not enabled.",
        "fatal: bad request line",
        "warning: broken ref passed over ref=refs/x",
      ]
        .map((line) => `[7] ${line}\n`)
        .join(""),
    );
  });

  it("tells no refusal twice", () => {
    const { logger, text } = open(false);
    logger.warn({ mode: "duplex", outcome: "server-core/repository-not-found", reason: "x" }, "request");
    logger.warn(
      { mode: "duplex", outcome: "server-core/service-disabled", reason: "service not enabled" },
      "request",
    );
    expect(text()).toBe("");
  });

  it("writes nothing where nothing is wanted", () => {
    const { error, text } = open(true, "none");
    error("x");
    expect(text()).toBe("");
  });
});
