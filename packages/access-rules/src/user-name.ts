/** What names a set of users, so that no user may be called so. */
export const EVERYBODY = "anyone";
export const LOGGED_IN = "users";

/** A name that stands in files, logs and hooks as it is, without quotes. */
export function isUserName(text: string): boolean {
  return /^[\p{L}\p{N}_][\p{L}\p{N}_.@+-]{0,63}$/u.test(text) && text !== EVERYBODY && text !== LOGGED_IN;
}
