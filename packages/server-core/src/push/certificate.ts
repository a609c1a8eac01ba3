import { hashObject } from "@x/objects";
import { encodeLatin1 } from "@x/pktline";
import { configUnsigned } from "../config-value.ts";
import type { Repository } from "../ports.ts";
import type { PushCertificate, PushVerdict } from "../push-hooks.ts";
import type { ServiceCall } from "../service.ts";
import type { Session } from "../session.ts";
import { checkNonce, type NonceSource } from "./cert-nonce.ts";
import type { Push } from "./push.ts";
import type { PushCert } from "./push-cert.ts";

/** What the nonces of a repository are made of; `undefined` where no certificates are asked for. */
export function nonceSource(call: ServiceCall, repository: Repository): NonceSource | undefined {
  const seed = repository.config.get("receive.certNonceSeed");
  if (seed === undefined) return undefined;
  return { seed, format: repository.objectFormat, repository: call.repository };
}

/**
 * What hooks get to know of a push's certificate. A bad signature refuses nothing by itself.
 * Spec: git-receive-pack, "Hooks"; git-config, `receive.certNonceSlop`.
 */
export async function examineCertificate(session: Session, cert: PushCert): Promise<PushCertificate> {
  const { call, repository } = session;
  const text = encodeLatin1(cert.text);
  const payload = text.subarray(0, cert.signatureAt);
  const signature = text.subarray(cert.signatureAt);
  return {
    id: hashObject(repository.objectFormat, "blob", text),
    payload,
    signature,
    ...(await verify(session, payload, signature)),
    ...checkNonce(nonceSource(call, repository), session.certNonce, cert.nonce, {
      stateless: call.mode === "rpc",
      slopSeconds: configUnsigned(repository.config, "receive.certNonceSlop") ?? 0,
    }),
  };
}

async function verify(session: Session, payload: Uint8Array, signature: Uint8Array): Promise<PushVerdict> {
  const unknown = { status: signature.length === 0 ? "N" : "E", signer: undefined, key: undefined };
  if (session.verifyPush === undefined || signature.length === 0) return unknown;
  const { repository, signal } = session;
  try {
    const { status, signer, key } = await session.verifyPush(payload, signature, { repository, signal });
    return { status, signer, key };
  } catch (error) {
    signal.throwIfAborted();
    session.logger?.warn({ error }, "a push certificate could not be verified");
    return unknown;
  }
}

/** Stores the certificate with the rest, for hooks and for those who look later. */
export async function storeCertificate({ session, quarantine, request }: Push): Promise<void> {
  if (request.certificate === undefined) return;
  try {
    await quarantine?.writeObject?.("blob", encodeLatin1(request.certificate.text));
  } catch (error) {
    session.signal.throwIfAborted();
    session.logger?.error({ error }, "a push certificate could not be stored");
  }
}

/** Whether the options that were signed are those that came. */
export function hasSignedOptions({ request }: Push): boolean {
  const { certificate, pushOptions = [] } = request;
  if (certificate === undefined) return true;
  const signed = certificate.pushOptions;
  return signed.length === pushOptions.length && signed.every((option, i) => option === pushOptions[i]);
}
