import type { ReceiveLimits } from "@x/objects";

/** What one call may cost. Every limit that a peer can meet is here. */
export interface Limits {
  /** Silence before an empty side-band packet tells the client that we are alive. Unit: milliseconds. */
  readonly keepaliveMs: number;
  /** Commands of one push, with their capabilities. Unit: bytes. */
  readonly maxCommandBytes: number;
  /** What is read and forgotten of a pack that is refused over HTTP, so that its client hears why. Unit: bytes. */
  readonly maxDiscardBytes: number;
  /** Refs that one push may change. */
  readonly maxCommands: number;
  /** The packets of a push certificate, its commands included. Unit: bytes. */
  readonly maxPushCertBytes: number;
  /** Options of one push (`--push-option`). */
  readonly maxPushOptions: number;
  /** The same, all together. Unit: bytes. */
  readonly maxPushOptionBytes: number;
  /** A name that a push may create or change. Unit: bytes. */
  readonly maxRefNameBytes: number;
  /** What stands between two slashes of it: a file's name, with room for `.lock`. Unit: bytes. */
  readonly maxRefComponentBytes: number;
  /** Tips of alternates that a pusher is told of as `.have`; the others are not. */
  readonly maxAlternateTips: number;
  /** Capability lines that open a v2 request. Unit: bytes. */
  readonly maxCapabilityBytes: number;
  /** Wants, haves and arguments of one fetch or of one ls-refs, all rounds together. Unit: bytes. */
  readonly maxFetchRequestBytes: number;
  /** Distinct wants of one fetch; a repository with more visible refs allows as many as it has. */
  readonly maxWants: number;
  /** `shallow` lines of one request. */
  readonly maxShallows: number;
  /** `deepen-not` lines of one fetch. */
  readonly maxDeepenNot: number;
  /** Filters within a `combine:` filter within another. */
  readonly maxFilterDepth: number;
  /** Filters that one `filter` line is made of. */
  readonly maxFilters: number;
  /** Objects that one `object-info` asks about. */
  readonly maxObjectInfos: number;
  /** Trees that are looked into for one pack, each as often as it is. */
  readonly maxTreeVisits: number;
  /** Time of a processor for one pack. Unit: milliseconds. */
  readonly maxPackCpuMs: number;
  /** One pack that is sent. Unit: bytes. */
  readonly maxPackBytes: number;
  /** Packs that are being made at the same time, in all. One is made when its first bytes are there. */
  readonly maxPacks: number;
  /** The same, of one repository. */
  readonly maxPacksPerRepository: number;
  /** Fetches that wait for their packs to be made; one more is turned away. */
  readonly maxQueuedPacks: number;
  /** How long one waits before it is turned away. Unit: milliseconds. */
  readonly maxPackWaitMs: number;
  /** Pushed packs that are taken in at the same time. Others wait. */
  readonly maxPushes: number;
  /** The same of one repository. */
  readonly maxPushesPerRepository: number;
  /** Pushes that wait for their packs to be taken in; one more is turned away. */
  readonly maxQueuedPushes: number;
  /** How long one waits before it is turned away. Unit: milliseconds. */
  readonly maxPushWaitMs: number;
  /** Haves that are kept, those that we have too. The others cost no memory. */
  readonly maxCommonHaves: number;
  /** Flush packets while a v0 client and we look for what is common. */
  readonly maxNegotiationRounds: number;
  /** Tips that stateless clients were shown and may want though their refs have moved on; those of one view of a repository. */
  readonly maxShownTips: number;
  /** For how long, at least; at most twice as long. Unit: milliseconds. */
  readonly shownTipsMs: number;
  /** Answers to ls-refs that are kept while the refs stay as they are, all repositories together. Unit: bytes. */
  readonly maxListingsBytes: number;
  /** How long such an answer is kept at most. Unit: milliseconds. */
  readonly listingMs: number;
  /** Answers to what the refs of a repository reach that are kept; those for one state of its refs. */
  readonly maxReachAnswers: number;
  /** From this many on, the `ref-prefix` lines of ls-refs are ignored. As in C git. */
  readonly maxRefPrefixes: number;
  /** Where calls are authorized: "not you" and "not there" are answered at multiples of this. Unit: milliseconds. */
  readonly refusalStepMs: number;
  /** `argument` lines of one request for an archive. As in C git. */
  readonly maxArchiveArguments: number;
  /** The same, all together. Unit: bytes. */
  readonly maxArchiveArgumentBytes: number;
  /** What stands before each name in an archive. Unit: bytes. */
  readonly maxArchivePrefixBytes: number;
  /** Entries of the trees that are looked through for one archive, and the trees. */
  readonly maxArchiveEntries: number;
  /** One archive. Unit: bytes. */
  readonly maxArchiveBytes: number;
  /** Time of a processor for one archive. Unit: milliseconds. */
  readonly maxArchiveCpuMs: number;
  /** What a pushed pack may cost; a repository's `receive.maxInputSize` may lower it. */
  readonly receive: ReceiveLimits;
}

/** What holds where nothing else is said. */
export const DEFAULT_LIMITS: Limits = Object.freeze({
  keepaliveMs: 5000,
  maxCommandBytes: 3 * 1024 * 1024,
  maxDiscardBytes: 2 * 1024 * 1024 * 1024,
  maxCommands: 100_000,
  maxPushCertBytes: 4 * 1024 * 1024,
  maxPushOptions: 1024,
  maxPushOptionBytes: 256 * 1024,
  maxRefNameBytes: 4096,
  maxRefComponentBytes: 250,
  maxAlternateTips: 65_536,
  maxCapabilityBytes: 1024 * 1024,
  maxFetchRequestBytes: 64 * 1024 * 1024,
  maxWants: 65_536,
  maxShallows: 100_000,
  maxDeepenNot: 1000,
  maxFilterDepth: 8,
  maxFilters: 16,
  maxObjectInfos: 100_000,
  maxTreeVisits: 50_000_000,
  maxPackCpuMs: 30 * 60 * 1000,
  maxPackBytes: 1024 ** 4,
  maxPacks: 32,
  maxPacksPerRepository: 16,
  maxQueuedPacks: 1024,
  maxPackWaitMs: 60_000,
  maxPushes: 256,
  maxPushesPerRepository: 128,
  maxQueuedPushes: 1024,
  maxPushWaitMs: 60_000,
  maxCommonHaves: 262_144,
  maxNegotiationRounds: 10_000,
  maxShownTips: 65_536,
  shownTipsMs: 5 * 60 * 1000,
  maxListingsBytes: 128 * 1024 * 1024,
  listingMs: 10_000,
  maxReachAnswers: 65_536,
  maxRefPrefixes: 65_536,
  maxArchiveArguments: 64,
  maxArchiveArgumentBytes: 1024 * 1024,
  maxArchivePrefixBytes: 4096,
  maxArchiveEntries: 5_000_000,
  maxArchiveBytes: 16 * 1024 ** 3,
  maxArchiveCpuMs: 10 * 60 * 1000,
  refusalStepMs: 20,
  receive: Object.freeze({
    maxObjects: 20_000_000,
    maxObjectBytes: 2 * 1024 * 1024 * 1024,
    // What git makes deltas of stays below `core.bigFileThreshold`.
    maxDeltaObjectBytes: 512 * 1024 * 1024 - 1,
    maxSpillBytes: 2 * 1024 * 1024 * 1024,
    maxParsedBytes: 32 * 1024 * 1024,
    maxInflatedBytes: 64 * 1024 * 1024 * 1024,
    maxDeltaDepth: 10_000,
    maxTreeDepth: 2048,
    maxCpuMs: 4500,
    maxCpuMsPerMib: 250,
    maxCpuMsPerBaseMib: 30,
    maxCpuUsPerObject: 250,
  }),
});
