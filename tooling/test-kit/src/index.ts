export { type Finished, type GitOptions, git, gitEnvironment, temporaryDirectory, tryGit } from "./git.ts";
export { describeReadme } from "./readme-examples.ts";
export { createTestRepository, type TestRepository } from "./repository.ts";
