import { request } from "node:https";
import { connect, type TLSSocket } from "node:tls";
import { makeCertificate } from "@tooling/test-kit";
import { expect, it, onTestFinished } from "vitest";
import { createFetchHandler } from "../src/index.ts";
import { createNodeHttpServer } from "../src/node.ts";

const ONE = makeCertificate("one");
const TWO = makeCertificate("two");

async function start() {
  const handler = createFetchHandler({ service: () => (async function* () {})() });
  const server = createNodeHttpServer({ handler, tls: ONE });
  const { port } = await server.listen();
  onTestFinished(() => server.close());
  return { server, port };
}

/** The name in the certificate that the server shows. @throws what ends the handshake */
function shownName(port: number, options: { readonly maxVersion?: "TLSv1.1" } = {}): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const socket: TLSSocket = connect(
      // Clients of today would not offer the old version by themselves.
      {
        port,
        host: "127.0.0.1",
        rejectUnauthorized: false,
        ciphers: "DEFAULT@SECLEVEL=0",
        minVersion: "TLSv1",
        ...options,
      },
      () => {
        resolve(socket.getPeerCertificate().subject.CN);
        socket.end();
      },
    );
    socket.once("error", reject);
  });
}

it("serves https://, and renews its certificate while it runs", async () => {
  const { server, port } = await start();
  const status = await new Promise((resolve, reject) =>
    request({ port, host: "127.0.0.1", path: "/", ca: ONE.certificate }, (reply) => {
      reply.resume();
      resolve(reply.statusCode);
    })
      .once("error", reject)
      .end(),
  );
  expect(status).toBe(404);
  expect(await shownName(port)).toBe("one");
  server.renew(TWO);
  expect(await shownName(port)).toBe("two");
  expect(() => server.renew({ certificate: "nonsense", key: "" })).toThrow();
  expect(() => server.renew({ certificate: ONE.certificate, key: TWO.key })).toThrow();
  expect(await shownName(port)).toBe("two");
});

it("speaks no TLS older than 1.2", async () => {
  const { port } = await start();
  await expect(shownName(port, { maxVersion: "TLSv1.1" })).rejects.toThrow(/protocol version|unsupported/i);
});
