import {
  createGitService,
  type GitService,
  type GitServiceOptions,
  type Logger,
  type ServiceCall,
} from "@x/server-core";
import type { Terminal } from "../terminal.ts";
import { EventTrace, traceSessionId } from "./event-trace.ts";
import { PacketTrace } from "./packet-trace.ts";
import { openTraceTarget, type TraceTarget } from "./trace-target.ts";

/**
 * Makes a service that traces its calls as C git's commands do: `GIT_TRACE_PACKET` with a line for each packet,
 * `GIT_TRACE2_EVENT` with a line of JSON for what a server knows of a fetch.
 */
export function createTracedService(options: GitServiceOptions, terminal: Terminal, pid: number): GitService {
  return (call) => tracedCall(options, call, terminal, pid);
}

async function* tracedCall(
  options: GitServiceOptions,
  call: ServiceCall,
  terminal: Terminal,
  pid: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { env } = terminal;
  const name = call.service.slice("git-".length);
  const sid = traceSessionId(env.GIT_TRACE2_PARENT_SID, pid);
  const fileName = sid.slice(sid.lastIndexOf("/") + 1);
  const packets = openTraceTarget("GIT_TRACE_PACKET", terminal);
  const eventTarget = openTraceTarget("GIT_TRACE2_EVENT", terminal, { fileName });
  const events = eventTarget && new EventTrace(eventTarget, sid);
  events?.start(options.agent ?? "", ["xgit", name, call.repository]);
  events?.data("transfer", "negotiated-version", `${call.version}`);
  const service = createGitService({
    ...options,
    hooks: {
      ...options.hooks,
      async preFetch(context) {
        events?.fetch(context);
        return options.hooks?.preFetch?.(context);
      },
    },
    logger: sessionLogger(options.logger, (id) => events?.data("transfer", "client-sid", id)),
    sessionId: () => sid,
  });
  const received = packets && packetTrace(packets, `${name.padStart(12)}<`, env);
  const sent = packets && packetTrace(packets, `${name.padStart(12)}>`, env);
  let status = 128;
  try {
    for await (const chunk of service({ ...call, input: tapped(call.input, received) })) {
      sent?.add(chunk);
      yield chunk;
    }
    status = 0;
  } finally {
    events?.exit(status);
    packets?.close();
    eventTarget?.close();
  }
}

async function* tapped(
  input: AsyncIterable<Uint8Array>,
  trace: PacketTrace | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of input) {
    trace?.add(chunk);
    yield chunk;
  }
}

function packetTrace(target: TraceTarget, who: string, env: Terminal["env"]): PacketTrace {
  const bare = (env.GIT_TRACE_BARE ?? "0") !== "0";
  return new PacketTrace(target, () => {
    const time = bare ? "" : `${new Date().toTimeString().slice(0, 8)} `;
    return `${time}packet: ${who}`;
  });
}

/** The client's name for its session stands in the line that is logged at the end. */
function sessionLogger(logger: Logger | undefined, onSession: (id: string) => void): Logger {
  const look = (fields: { readonly clientSessionId?: unknown }) => {
    if (typeof fields.clientSessionId === "string") onSession(fields.clientSessionId);
  };
  return {
    debug: (fields, message) => logger?.debug(fields, message),
    info: (fields, message) => {
      look(fields);
      logger?.info(fields, message);
    },
    warn: (fields, message) => {
      look(fields);
      logger?.warn(fields, message);
    },
    error: (fields, message) => {
      look(fields);
      logger?.error(fields, message);
    },
  };
}
