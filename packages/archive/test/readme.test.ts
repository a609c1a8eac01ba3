import { describeReadme } from "@tooling/test-kit";

describeReadme(new URL("..", import.meta.url).pathname);
