import type { ObjectFormat } from "@x/objects";
import type { RefStore } from "@x/refs";
import type { ConformanceCase } from "./conformance-case.ts";
import { refChangingCases } from "./ref-store/changing-cases.ts";
import { refReadingCases } from "./ref-store/reading-cases.ts";

/**
 * What a {@link RefStore} promises. A new store's HEAD has to stand for `refs/heads/main`; ids are those of no objects.
 * @param format what ids look like
 */
export function refStoreCases(format: ObjectFormat): readonly ConformanceCase<RefStore>[] {
  return [...refReadingCases(format), ...refChangingCases(format)];
}
