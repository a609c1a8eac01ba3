import { encodePackets, encodeSideband, flush } from "@x/pktline";
import { describe, expect, it } from "vitest";
import { traceSessionId } from "../src/trace/event-trace.ts";
import { PacketTrace } from "../src/trace/packet-trace.ts";
import { openTraceTarget } from "../src/trace/trace-target.ts";
import { FakeTerminal } from "./terminal.ts";

function traced(...chunks: readonly Uint8Array[]): string {
  const written: string[] = [];
  const target = { write: (lines: string) => void written.push(lines), close: () => {} };
  const trace = new PacketTrace(target, () => "who>");
  for (const chunk of chunks) trace.add(chunk);
  return written.join("");
}

const bytes = (text: string) => new TextEncoder().encode(text);

describe("a trace of packets", () => {
  it("is a line for each, wherever the bytes are cut", () => {
    const wire = encodePackets(["want 1\n", flush, "done", "\x02odd\x1b[31m\\\n"]);
    const lines = "who> want 1\nwho> 0000\nwho> done\nwho> \\2odd\\33[31m\\\n";
    expect(traced(wire)).toBe(lines);
    expect(traced(...[...wire].map((byte) => Uint8Array.of(byte)))).toBe(lines);
  });

  it("says of a pack that it begins", () => {
    const bands = [1, 1, 2, 1].map((band, i) =>
      encodeSideband(band as 1 | 2, bytes(["PACKx", "more", "Counting", "x"][i] as string), 65520),
    );
    expect(traced(...bands, encodePackets([flush]))).toBe("who> PACK ...\nwho> \\2Counting\nwho> 0000\n");
    expect(traced(encodePackets(["NAK\n"]), bytes("PACK and so on"), encodePackets(["NAK"]))).toBe(
      "who> NAK\n",
    );
  });
});

describe("a trace's target", () => {
  it.each([
    [undefined, "", ""],
    ["0", "", ""],
    ["false", "", ""],
    ["1", "x\n", ""],
    ["TRUE", "x\n", ""],
    ["relative/path", "", "warning: unknown trace value for 'V': relative/path\n"],
    ["99", "", "warning: unknown trace value for 'V': 99\n"],
    ["/dev/null/no", "", "warning: could not open '/dev/null/no' for tracing: "],
  ])("%s", (value, written, warned) => {
    const terminal = new FakeTerminal(value === undefined ? {} : { V: value });
    openTraceTarget("V", terminal)?.write("x\n");
    expect(terminal.err.slice(0, (written + warned).length)).toBe(written + warned);
    if (written + warned === "") expect(terminal.err).toBe("");
  });

  it("names a session as C git does, after the one that started it", () => {
    const now = new Date(Date.UTC(2026, 1, 3, 4, 5, 6, 789));
    expect(traceSessionId(undefined, 0x1f, now)).toMatch(/^20260203T040506\.789000Z-H[0-9a-f]{8}-P0000001f$/);
    expect(traceSessionId("parent", 1, now)).toMatch(/^parent\/2026/);
  });
});
