import { opendir } from "node:fs/promises";

/** A disk that has not answered by then counts as gone. Unit: milliseconds. */
const PATIENCE_MS = 2000;

/** Whether a server can be sent requests. */
export interface Readiness {
  /** The server takes requests. */
  begin(): void;
  /** The server takes no more requests. */
  end(): void;
  /** @returns why not; `undefined` when it can */
  check(): Promise<string | undefined>;
}

/** A server is ready once it has begun, as long as it is not ending and `root` can be read. */
export function watchReadiness(root: string): Readiness {
  let fault: string | undefined = "starting";
  return {
    begin() {
      fault = undefined;
    },
    end() {
      fault = "ending";
    },
    async check() {
      if (fault !== undefined) return fault;
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<string>((resolve) => {
        timer = setTimeout(resolve, PATIENCE_MS, "the repositories cannot be read: no answer");
      });
      const result = await Promise.race([reasonNotToRead(root), late]);
      clearTimeout(timer);
      return result;
    },
  };
}

async function reasonNotToRead(root: string): Promise<string | undefined> {
  try {
    const directory = await opendir(root);
    await directory.read();
    await directory.close();
    return undefined;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "error";
    return `the repositories cannot be read: ${code}`;
  }
}
