/** What one request may cost. Sizes are in bytes. */
export interface HttpLimits {
  /** Body of a POST to git-upload-pack, as it comes over the wire. */
  readonly maxFetchRequestBytes: number;
  /** Body of a POST to git-receive-pack, as it comes over the wire. The store has its own limits for packs. */
  readonly maxPushRequestBytes: number;
  /** A gzip body once inflated, whatever the service. Packs are not sent so. */
  readonly maxInflatedBytes: number;
  /** An `Authorization` header. */
  readonly maxAuthorizationBytes: number;
}

/** The limits of a handler that is given none; the first is C git's http.maxRequestBuffer. */
export const DEFAULT_HTTP_LIMITS: HttpLimits = {
  maxFetchRequestBytes: 10 * 1024 * 1024,
  maxPushRequestBytes: Number.POSITIVE_INFINITY,
  maxInflatedBytes: 32 * 1024 * 1024,
  maxAuthorizationBytes: 8192,
};
