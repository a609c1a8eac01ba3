export { makeCertificate } from "./certificate.ts";
export { type Finished, type GitOptions, git, gitEnvironment, temporaryDirectory, tryGit } from "./git.ts";
export { type LentChunks, lendChunks } from "./lent-chunks.ts";
export { describeReadme } from "./readme-examples.ts";
export {
  hideFiles,
  moveToReftable,
  refsOfRepository,
  writeReftableStack,
} from "./reftable-repository.ts";
export { type ReftableEntry, type ReftableShape, writeReftable } from "./reftable-writer.ts";
export { createTestRepository, type TestRepository } from "./repository.ts";
