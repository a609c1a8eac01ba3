// Git beside other things on a server of node:http.
import { createServer } from "node:http";
import { toNodeListener } from "@x/transport-http/node";
import { announce, directory, handlerFor, port } from "./repositories.mjs";

const git = toNodeListener(handlerFor(directory, "/git"));

const server = createServer({ requestTimeout: 0 }, (request, response) => {
  if (request.url?.startsWith("/git/")) git(request, response);
  else response.end("hello\n");
});
server.listen(Number(port), "127.0.0.1", () => announce(server.address()));
