import { unwatchFile, watchFile } from "node:fs";
import { readFile } from "node:fs/promises";
import type { Logger } from "@x/server-core";
import type { TlsIdentity } from "@x/transport-http/node";
import { CliError } from "../errors.ts";

/** Where a server's certificate is. */
export interface TlsFiles {
  readonly certificate: string;
  readonly key: string;
}

/** How often the files are looked at. Unit: milliseconds. */
const INTERVAL_MS = 2000;

/** Reads certificate and key. @throws CliError `cli/fatal` that names the file */
export async function readTlsFiles({ certificate, key }: TlsFiles): Promise<TlsIdentity> {
  const read = (file: string) =>
    readFile(file, "utf8").catch((cause: Error) => {
      throw new CliError("cli/fatal", `${file}: ${cause.message}`, { cause });
    });
  return { certificate: await read(certificate), key: await read(key) };
}

/** Keeps a server's certificate as its files are. */
export interface TlsWatch {
  /** Reads the files now. What is no good is logged, and the server keeps what it has. */
  renew(): Promise<void>;
  close(): void;
}

/** Has `renew` called with what the files hold whenever they change. */
export function watchTlsFiles(
  files: TlsFiles,
  renew: (identity: TlsIdentity) => void,
  logger: Logger,
): TlsWatch {
  const again = async (): Promise<void> => {
    try {
      renew(await readTlsFiles(files));
      logger.info({ file: files.certificate }, "the certificate was renewed");
    } catch (error) {
      // Between the change of the one file and that of the other they do not fit each other.
      const reason = error instanceof Error ? error.message : String(error);
      logger.warn({ reason }, "the certificate was not renewed");
    }
  };
  const onChange = () => void again();
  const watched = [files.certificate, files.key];
  for (const file of watched) watchFile(file, { interval: INTERVAL_MS, persistent: false }, onChange);
  return {
    renew: again,
    close() {
      for (const file of watched) unwatchFile(file, onChange);
    },
  };
}
