import type { PushCertificate, PushContext, PushHooks } from "@x/server-core";

/** Which signed pushes are let in. */
export interface SignedPushRules {
  /** Letters as of `%G?`. Default: `G` alone. */
  readonly statuses?: readonly string[] | undefined;
  /** `SLOP` lets in what was signed for this server earlier than `receive.certNonceSlop` allows. Default: `OK` alone. */
  readonly nonceStatuses?: readonly PushCertificate["nonceStatus"][] | undefined;
  /** Asked about a signature that is good enough. @returns a reason to refuse the push */
  readonly admit?:
    | ((certificate: PushCertificate, context: PushContext) => Promise<string | undefined>)
    | undefined;
}

/** A hook that refuses what is not signed as it should be, before any of it is sent. Combine it with others of yours. */
export function requireSignedPush(rules: SignedPushRules = {}): Required<Pick<PushHooks, "prePush">> {
  const { statuses = ["G"], nonceStatuses = ["OK"], admit } = rules;
  return {
    async prePush(context) {
      const { certificate } = context;
      // A certificate without a signature is no signed push either.
      if (certificate === undefined || certificate.status === "N")
        return asksForSignatures(context)
          ? "push is not signed"
          : "push is not signed, nor can it be: receive.certNonceSeed is not set here";
      if (!statuses.includes(certificate.status))
        return `signature of the push is not accepted (${certificate.status})`;
      if (!nonceStatuses.includes(certificate.nonceStatus))
        return `nonce of the push is not accepted (${certificate.nonceStatus})`;
      return admit?.(certificate, context);
    },
  };
}

/** Git's clients sign nothing unless they are asked to, and say that the server cannot take it. */
function asksForSignatures({ repository }: PushContext): boolean {
  return repository.config.get("receive.certNonceSeed") !== undefined;
}
