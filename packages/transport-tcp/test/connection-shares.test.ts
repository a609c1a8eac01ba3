import { describe, expect, it } from "vitest";
import { addressKey, ConnectionShares, type Sharer } from "../src/connection-shares.ts";

class Open implements Sharer {
  readonly address: string;
  requested = true;

  constructor(address: string) {
    this.address = address;
  }
}

function shares(max: number, maxPerAddress?: number) {
  const table = new ConnectionShares<Open>(max, maxPerAddress);
  const add = (address: string, requested = true): Open => {
    const open = new Open(address);
    table.add(open);
    open.requested = requested;
    return open;
  };
  return { table, add };
}

describe("ConnectionShares", () => {
  it("has room up to its number", () => {
    const { table, add } = shares(2);
    add("a");
    expect(table.roomFor("a")).toBe("yes");
    add("a");
    expect(table.roomFor("a")).toBe("no");
  });

  it("gives room back, once", () => {
    const { table, add } = shares(2);
    const first = add("a");
    add("a");
    table.delete(first);
    table.delete(first);
    expect(table.roomFor("a")).toBe("yes");
    add("a");
    expect(table.roomFor("a")).toBe("no");
  });

  it("keeps an eighth from any one address", () => {
    const { table, add } = shares(16);
    for (let i = 0; i < 14; i++) {
      expect(table.roomFor("a")).toBe("yes");
      add("a");
    }
    expect(table.roomFor("a")).toBe("no");
    expect(table.roomFor("b")).toBe("yes");
  });

  it("keeps an address to the share it is given", () => {
    const { table, add } = shares(16, 2);
    add("a");
    add("a");
    expect(table.roomFor("a")).toBe("no");
    expect(table.roomFor("b")).toBe("yes");
  });

  it("has the newest of the address with most make room for one that has none", () => {
    const { table, add } = shares(4);
    add("a");
    add("b");
    add("b");
    const newest = add("b");
    expect(table.roomFor("c")).toBe(newest);
    expect(table.roomFor("a")).toBe("no");
    expect(table.roomFor("b")).toBe("no");
  });

  it("ends nobody's only connection", () => {
    const { table, add } = shares(2);
    add("a");
    add("b");
    expect(table.roomFor("c")).toBe("no");
  });

  it("has who has not asked for anything make room first, the longest-waiting before others", () => {
    const { table, add } = shares(3);
    add("a");
    const silent = add("a", false);
    add("b", false);
    expect(table.roomFor("a")).toBe(silent);
    expect(table.roomFor("b")).toBe(silent);
    silent.requested = true;
    expect(table.roomFor("c")).toMatchObject({ address: "b" });
  });

  it("takes it from the address itself where that has used its share", () => {
    const { table, add } = shares(16, 2);
    add("b", false);
    add("a");
    const own = add("a", false);
    expect(table.roomFor("a")).toBe(own);
  });

  it("knows no number", () => {
    const { table, add } = shares(Number.POSITIVE_INFINITY);
    for (let i = 0; i < 1000; i++) add("a");
    expect(table.roomFor("a")).toBe("yes");
  });
});

describe("addressKey", () => {
  it.each([
    ["192.0.2.1", "192.0.2.1"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:DB8:0001:2::5", "2001:db8:1:2::/64"],
    ["2001:db8::1", "2001:db8:0:0::/64"],
    ["::1", "0:0:0:0::/64"],
    ["fe80::1%eth0", "fe80:0:0:0::/64"],
    ["", ""],
  ])("counts %s as %s", (address, key) => {
    expect(addressKey(address)).toBe(key);
  });
});
