import type { ObjectFormat } from "@x/objects";
import { formatSymref, sanitizeAgent } from "@x/pktline";
import type { RepositoryConfig } from "../ports.ts";
import { readWantPolicy } from "../visible/want-policy.ts";
import { fetchFeatures, formatFetchFeatures, unbornSetting } from "./fetch-features.ts";
import { formatPromisorRemotes } from "./promisor-remotes.ts";
import { pushFeatures } from "./push-features.ts";
import { offersBundleUri, offersObjectInfo } from "./server-features.ts";

/** What an announcement says of this server and repository. */
export interface Announced {
  readonly objectFormat: ObjectFormat;
  readonly agent: string;
  readonly config: RepositoryConfig;
  /** What this session is called; `undefined` where session ids are not exchanged. */
  readonly sessionId: string | undefined;
}

const tail = (announced: Announced): string[] => [
  ...(announced.sessionId === undefined ? [] : [`session-id=${announced.sessionId}`]),
  `object-format=${announced.objectFormat}`,
  `agent=${sanitizeAgent(announced.agent)}`,
];

/**
 * What upload-pack can do in v0 and v1, in C git's order. `noDone` makes sense for stateless clients only.
 * @param headTarget the ref that HEAD stands for
 */
export function uploadPackCapabilities(
  announced: Announced,
  options: { readonly noDone: boolean; readonly headTarget: string | undefined },
): string {
  const { filter } = fetchFeatures(announced.config);
  const wants = readWantPolicy(announced.config, filter);
  return [
    "multi_ack thin-pack side-band side-band-64k ofs-delta shallow deepen-since deepen-not deepen-relative",
    "no-progress include-tag multi_ack_detailed",
    ...(wants.announceTip ? ["allow-tip-sha1-in-want"] : []),
    ...(wants.announceReachable ? ["allow-reachable-sha1-in-want"] : []),
    ...(options.noDone ? ["no-done"] : []),
    ...(options.headTarget === undefined ? [] : [formatSymref("HEAD", options.headTarget)]),
    ...(filter ? ["filter"] : []),
    ...tail(announced),
  ].join(" ");
}

/**
 * What receive-pack can do, in C git's order.
 * @param nonce asks for push certificates
 */
export function receivePackCapabilities(announced: Announced, nonce: string | undefined): string {
  const { atomic, ofsDelta, pushOptions } = pushFeatures(announced.config);
  return [
    "report-status report-status-v2 delete-refs side-band-64k quiet",
    ...(atomic ? ["atomic"] : []),
    ...(ofsDelta ? ["ofs-delta"] : []),
    ...(nonce === undefined ? [] : [`push-cert=${nonce}`]),
    ...(pushOptions ? ["push-options"] : []),
    ...tail(announced),
  ].join(" ");
}

/** What v2 can do, one line each, in C git's order. Spec: gitprotocol-v2, "Capability Advertisement". */
export function v2Capabilities(announced: Announced): string[] {
  const { config } = announced;
  const promisors = formatPromisorRemotes(config);
  return [
    `agent=${sanitizeAgent(announced.agent)}\n`,
    unbornSetting(config) === "advertise" ? "ls-refs=unborn\n" : "ls-refs\n",
    `fetch=shallow wait-for-done${formatFetchFeatures(fetchFeatures(config))}\n`,
    "server-option\n",
    `object-format=${announced.objectFormat}\n`,
    ...(announced.sessionId === undefined ? [] : [`session-id=${announced.sessionId}\n`]),
    ...(offersObjectInfo(config) ? ["object-info=size\n"] : []),
    ...(offersBundleUri(config) ? ["bundle-uri\n"] : []),
    ...(promisors === undefined ? [] : [`promisor-remote=${promisors}\n`]),
  ];
}
