import { fromBytePath } from "../disk/byte-path.ts";
import { writeWhole } from "../disk/lock-file.ts";
import { link, open, unlink } from "../disk/quick-files.ts";
import { type SharedAccess, share } from "../disk/shared-access.ts";
import { systemCode } from "../errors.ts";

/** A file that is to become a lock. While it is in the journal, whoever finds the same file as a lock knows whose it is. */
export interface Draft {
  /** Makes it the lock too; `unable` where files cannot have two names, and then the draft is gone. */
  linkTo(lockPath: string): Promise<"locked" | "taken" | "unable">;
  /** Takes it out of the journal. Harmless a second time. */
  drop(): Promise<void>;
}

/** What systems say where a file cannot have a second name. */
const UNABLE: ReadonlySet<string> = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EXDEV", "EMLINK"]);

/** Writes a draft at `path`, and what else has to lie beside it. */
export async function writeDraft(
  path: string,
  content: Uint8Array,
  options: {
    readonly sync: boolean;
    readonly beside?: string | undefined;
    readonly access?: SharedAccess | undefined;
  },
): Promise<Draft> {
  let dropped = false;
  const drop = async (): Promise<void> => {
    if (dropped) return;
    dropped = true;
    for (const file of [path, options.beside])
      if (file !== undefined) await unlink(fromBytePath(file)).catch(() => {});
  };
  const file = await open(fromBytePath(path), "wx", 0o666);
  try {
    await writeWhole(file, [content], options.sync && content.length > 0);
    await share(fromBytePath(path), options.access);
  } catch (error) {
    await drop();
    throw error;
  }
  return {
    async linkTo(lockPath) {
      try {
        await link(fromBytePath(path), fromBytePath(lockPath));
        return "locked";
      } catch (error) {
        const code = systemCode(error) ?? "";
        if (code === "EEXIST") return "taken";
        if (!UNABLE.has(code)) throw error;
        await drop();
        return "unable";
      }
    },
    drop,
  };
}
