// Git in a Fastify application.
import { toNodeListener } from "@x/transport-http/node";
import fastify from "fastify";
import { announce, directory, handlerFor, port } from "./repositories.mjs";

const app = fastify({ requestTimeout: 0 });

app.register(async (scope) => {
  const git = toNodeListener(handlerFor(directory, "/git"));
  scope.removeAllContentTypeParsers();
  // Leaves the body where it is: a push goes to the disk as it comes.
  scope.addContentTypeParser("*", (_request, _payload, done) => done(null));
  scope.all("/git/*", (request, reply) => {
    reply.hijack();
    git(request.raw, reply.raw);
  });
});

app.register(async (scope) => {
  const git = toNodeListener(handlerFor(directory, "/raw"));
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser("*", { parseAs: "buffer", bodyLimit: 2 ** 30 }, (_request, body, done) =>
    done(null, body),
  );
  scope.all("/raw/*", (request, reply) => {
    reply.hijack();
    git(Object.assign(request.raw, { body: request.body }), reply.raw);
  });
});

app.register(async (scope) => {
  const git = toNodeListener(handlerFor(directory, "/text"));
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser("*", { parseAs: "string" }, (_request, body, done) => done(null, body));
  // What is left of the body is no body any more: 500, transport-http/body-taken.
  scope.all("/text/*", (request, reply) => {
    reply.hijack();
    git(request.raw, reply.raw);
  });
});

app.get("/", async () => "hello\n");

await app.listen({ port: Number(port), host: "127.0.0.1" });
announce(app.server.address());
