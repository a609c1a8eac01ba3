/** @packageDocumentation Git ref names, packed-refs and loose-ref codecs, and the port a ref store fills. */
export { RefsError, type RefsErrorCode } from "./errors.ts";
export type {
  Ref,
  RefEdit,
  ReflogEntry,
  RefOutcome,
  RefRejection,
  RefStore,
  RefTarget,
  TransactOptions,
} from "./ref-store.ts";
