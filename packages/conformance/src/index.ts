/** @packageDocumentation What Git object and ref stores promise, as cases that any of them can be held to. */
export type { ConformanceCase, KnownGaps, Make, TestRunner } from "./conformance-case.ts";
export { ConformanceError, type ConformanceErrorCode } from "./errors.ts";
export { objectStoreCases } from "./object-store-cases.ts";
export { refStoreCases } from "./ref-store-cases.ts";
export { repositoryCases, type StoredRepository } from "./repository-cases.ts";
export { runConformance } from "./run-conformance.ts";
