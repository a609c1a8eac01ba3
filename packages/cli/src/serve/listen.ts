import { CliError } from "../errors.ts";

/** Something that opens a port. */
export interface Listener {
  listen(): Promise<{ readonly host: string; readonly port: number }>;
  close(options?: { readonly graceMs?: number }): Promise<void>;
}

/** A listener with its port open. */
export interface Listening {
  readonly host: string;
  readonly port: number;
  readonly listener: Listener;
  /** The usual port, when it was taken and another one had to do. */
  readonly insteadOf?: number | undefined;
}

/**
 * Opens the port that was asked for, or else the usual one, or else any that is free.
 * @throws CliError `cli/fatal` when the asked-for port cannot be had
 */
export async function listenOn(
  make: (port: number) => Listener,
  asked: number | undefined,
  usual: number,
): Promise<Listening> {
  const port = asked ?? usual;
  const listener = make(port);
  try {
    return { ...(await listener.listen()), listener };
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
    if (asked === undefined && code === "EADDRINUSE") {
      const other = make(0);
      return { ...(await other.listen()), listener: other, insteadOf: usual };
    }
    const why =
      code === "EADDRINUSE" ? "it is taken" : cause instanceof Error ? cause.message : String(cause);
    throw new CliError("cli/fatal", `cannot listen on port ${port}: ${why}`, { cause });
  }
}
