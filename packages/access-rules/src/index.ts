/** @packageDocumentation Who may do what on a Git server, from a file of users and a file of rules. */
export { type Access, type AccessOptions, decide, openAccess } from "./access.ts";
export { type AccessRules, parseAccess, type Rights } from "./access-file.ts";
export { AccessRulesError, type AccessRulesErrorCode } from "./errors.ts";
export { type AccessLimits, DEFAULT_ACCESS_LIMITS } from "./limits.ts";
export { MIN_TOKEN_LENGTH } from "./login.ts";
export { parseUsers, type Users } from "./users-file.ts";
