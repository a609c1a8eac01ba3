import type { Push } from "./push.ts";

/** Takes a step that makes what was pushed last. When that fails, so do all that are not done. @returns whether it went well */
export async function keepObjects(push: Push, step: () => Promise<void> | undefined): Promise<boolean> {
  try {
    await step();
    return true;
  } catch (error) {
    push.session.stats.reason = `publish: ${error instanceof Error ? error.message : String(error)}`;
    push.session.logger?.error({ error }, "pushed objects could not be kept");
    push.failLive("unable to migrate objects to permanent storage");
    return false;
  }
}
