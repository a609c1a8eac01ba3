import { combineHooks } from "@x/server-core";
import { assembleServer, type GitServer, type GitServerOptions } from "../git-server.ts";
import { type Fault, Faults } from "./fault.ts";
import { Recorder } from "./recorder.ts";
import type { TestRequest } from "./test-request.ts";

/** A {@link GitServer} that remembers what it was asked, and fails when it is told to. `listen` takes it as any other. */
export interface TestGitServer extends GitServer {
  /** The oldest first, as far back as 10,000 go; over HTTP a fetch is several. */
  readonly requests: readonly TestRequest[];
  /** Forgets them. */
  forget(): void;
  /** Has something go wrong. @returns takes it back */
  fault(fault: Fault): () => void;
}

/**
 * Makes a server for the tests of a client, over all transports.
 * @throws TransportHttpError `transport-http/bad-option`
 */
export function createTestGitServer(options: GitServerOptions): TestGitServer {
  const faults = new Faults();
  const recorder = new Recorder(faults);
  const hooks = combineHooks(recorder.hooks, options.hooks ?? {});
  const server = assembleServer({ ...options, hooks }, ({ service, dumb }) => ({
    service: recorder.service(service),
    dumb: recorder.dumb(dumb),
  }));
  return {
    ...server,
    requests: recorder.requests,
    forget: () => void recorder.requests.splice(0),
    fault: (fault) => faults.add(fault),
    answer: (request) => {
      const { scheme: transport = "http", method, target } = request;
      return recorder.http({ transport, method, target }, () => server.answer(request));
    },
    fetch: (request, platform) => {
      const { protocol, pathname, search } = new URL(request.url);
      const about = {
        transport: protocol.replace(":", ""),
        method: request.method,
        target: pathname + search,
      };
      return recorder.http(about, () => server.fetch(request, platform));
    },
  };
}
