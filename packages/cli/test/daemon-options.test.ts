import { describe, expect, it } from "vitest";
import { type DaemonOptions, parseDaemonOptions } from "../src/daemon/daemon-options.ts";

function parse(...argv: string[]): DaemonOptions {
  const options = parseDaemonOptions(argv);
  if (options === "help") throw new Error("help");
  return options;
}

describe("parseDaemonOptions", () => {
  it("knows git-daemon's defaults", () => {
    const { services, ...options } = parse();
    expect(options).toEqual({
      verbose: false,
      logDestination: "stderr",
      inetd: false,
      detach: false,
      listen: [],
      port: 9418,
      pidFile: undefined,
      user: undefined,
      group: undefined,
      exportAll: false,
      strictPaths: false,
      basePath: undefined,
      basePathRelaxed: false,
      interpolatedPath: undefined,
      userPath: undefined,
      followLinks: false,
      directories: [],
      timeout: undefined,
      initTimeout: undefined,
      maxConnections: 32,
      accessHook: undefined,
      informativeErrors: false,
      hooks: true,
    });
    expect(Object.fromEntries(services)).toEqual({
      "git-upload-pack": { enabled: true, overridable: true },
      "git-receive-pack": { enabled: false, overridable: true },
      "git-upload-archive": { enabled: false, overridable: true },
    });
  });

  it.each<[string[], Partial<DaemonOptions>]>([
    [["--verbose", "--export-all", "--reuseaddr"], { verbose: true, exportAll: true }],
    [
      ["--listen=Git.Example", "--listen=::1", "--port=0x24CA"],
      { listen: ["git.example", "::1"], port: 9418 },
    ],
    [["--port=020"], { port: 16 }],
    [["--port=0"], { port: 9418 }],
    [["--timeout=3", "--init-timeout=0"], { timeout: 3, initTimeout: 0 }],
    [["--max-connections=0"], { maxConnections: 0 }],
    [["--max-connections=-5"], { maxConnections: 0 }],
    [["--max-connections=+7"], { maxConnections: 7 }],
    [["--base-path=/a=b", "--base-path-relaxed"], { basePath: "/a=b", basePathRelaxed: true }],
    [["--interpolated-path=/%H%D"], { interpolatedPath: "/%H%D" }],
    [["--user-path"], { userPath: "" }],
    [["--user-path=pub"], { userPath: "pub" }],
    [["--user=git", "--group=www"], { user: "git", group: "www" }],
    [["--pid-file=p", "--access-hook=exit 1"], { pidFile: "p", accessHook: "exit 1" }],
    [["--informative-errors"], { informativeErrors: true }],
    [["--informative-errors", "--no-informative-errors"], { informativeErrors: false }],
    [["--inetd"], { inetd: true, logDestination: "syslog" }],
    [["--detach"], { detach: true, logDestination: "syslog" }],
    [["--detach", "--log-destination=none"], { logDestination: "none" }],
    [["--inetd", "--log-destination=stderr"], { logDestination: "stderr" }],
    [["--syslog"], { logDestination: "syslog" }],
    [["--no-hooks", "--follow-links"], { hooks: false, followLinks: true }],
    [["a", "--verbose"], { directories: ["a", "--verbose"], verbose: false }],
    [["--verbose", "--", "--verbose"], { directories: ["--verbose"], verbose: true }],
    [["--strict-paths", "/a"], { strictPaths: true, directories: ["/a"] }],
  ])("reads %j", (argv, expected) => {
    expect(parse(...argv)).toMatchObject(expected);
  });

  it("switches services on and off, and lets repositories decide or not", () => {
    const { services } = parse(
      "--enable=receive-pack",
      "--disable=upload-pack",
      "--forbid-override=upload-archive",
      "--forbid-override=upload-pack",
      "--allow-override=upload-pack",
    );
    expect(Object.fromEntries(services)).toEqual({
      "git-upload-pack": { enabled: false, overridable: true },
      "git-receive-pack": { enabled: true, overridable: true },
      "git-upload-archive": { enabled: false, overridable: false },
    });
  });

  it.each([
    ["--timeout=3a", "invalid timeout '3a', expecting a non-negative integer"],
    ["--timeout=-3", "invalid timeout '-3', expecting a non-negative integer"],
    ["--timeout=", "invalid timeout '', expecting a non-negative integer"],
    ["--timeout=4294967296", "invalid timeout '4294967296', expecting a non-negative integer"],
    ["--init-timeout=3a", "invalid init-timeout '3a', expecting a non-negative integer"],
    ["--max-connections=3a", "invalid max-connections '3a', expecting an integer"],
    ["--max-connections=2147483648", "invalid max-connections '2147483648', expecting an integer"],
    ["--log-destination=moon", "unknown log destination 'moon'"],
    ["--enable=git-upload-pack", "No such service git-upload-pack"],
    ["--strict-paths", "option --strict-paths requires '<directory>' arguments"],
    ["--group=g", "--group supplied without --user"],
  ])("%s is fatal, in git's words", (word, message) => {
    expect(() => parse(word)).toThrow(expect.objectContaining({ code: "cli/fatal", message }));
  });

  it.each([
    [["--inetd", "--detach"], "--detach, --user and --group are incompatible with --inetd"],
    [["--inetd", "--user=u"], "--detach, --user and --group are incompatible with --inetd"],
    [["--inetd", "--port=1"], "--listen= and --port= are incompatible with --inetd"],
    [["--inetd", "--listen=::1"], "--listen= and --port= are incompatible with --inetd"],
  ])("%j is fatal", (argv, message) => {
    expect(() => parse(...argv)).toThrow(expect.objectContaining({ code: "cli/fatal", message }));
  });

  it.each([
    "--bogus",
    "--timeout",
    "--verbose=1",
    "--port=99999",
    "--port=x",
    "--port=-1",
    "-x",
    "--base-path",
    "-",
  ])("%s is no flag", (word) => {
    expect(() => parse(word)).toThrow(expect.objectContaining({ code: "cli/usage" }));
  });

  it("asks for help", () => {
    expect(parseDaemonOptions(["--verbose", "-h"])).toBe("help");
    expect(parseDaemonOptions(["--help"])).toBe("help");
    expect(parse("--", "--help").directories).toEqual(["--help"]);
  });
});
