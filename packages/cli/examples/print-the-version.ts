import { main } from "@x/cli";

// What `xgit --version` runs; the result is the exit status.
const status = await main(["--version"]);
if (status !== 0) throw new Error(`xgit ended with ${status}`);
