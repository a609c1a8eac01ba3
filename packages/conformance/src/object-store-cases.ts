import type { ObjectFormat, ObjectStore } from "@x/objects";
import type { ConformanceCase } from "./conformance-case.ts";
import { ancestryCases } from "./object-store/ancestry-cases.ts";
import { archiveCases } from "./object-store/archive-cases.ts";
import { checkingCases } from "./object-store/checking-cases.ts";
import { packingCases } from "./object-store/packing-cases.ts";
import { objectReadingCases } from "./object-store/reading-cases.ts";
import { receivingCases } from "./object-store/receiving-cases.ts";

/**
 * What an {@link ObjectStore} promises. Stores are asked for several at a time.
 * @param format of the stores that are made
 */
export function objectStoreCases(format: ObjectFormat): readonly ConformanceCase<ObjectStore>[] {
  return [
    ...objectReadingCases(format),
    ...receivingCases(format),
    ...checkingCases(format),
    ...packingCases(format),
    ...ancestryCases(format),
    ...archiveCases(format),
  ];
}
