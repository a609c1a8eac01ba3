import type { Options } from "tsup";

/**
 * What every package shares. All entries are built in one run, so that a branded type that two of them
 * export is declared once. ESM only, unless a package has one entry and no dependency (`cjs`): then a
 * CommonJS twin cannot lead to two copies of a class. Node 20.19 and later `require()` ESM anyway.
 */
export function library(options: { readonly entry?: string[]; readonly cjs?: boolean } = {}): Options {
  return {
    entry: options.entry ?? ["src/index.ts"],
    format: options.cjs ? ["esm", "cjs"] : ["esm"],
    platform: "neutral",
    target: "node20",
    external: [/^node:/],
    // tsup strips "node:" unless told not to, and Deno and Workers refuse the bare names.
    removeNodeProtocol: false,
    sourcemap: true,
    // tsup 8.5 sets `baseUrl` for its declaration build, which TypeScript 6 reports as deprecated.
    // Neutrality is what `typecheck` enforces; here a ./node entry needs the types too.
    dts: { compilerOptions: { ignoreDeprecations: "6.0", types: ["node"] } },
    clean: false,
  };
}
