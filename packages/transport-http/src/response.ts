import type { HttpAnswer } from "./http-message.ts";

/** Spec: gitprotocol-http, "Smart Server Response"; the very headers of git-http-backend, in its order. */
export const NO_CACHE: Readonly<Record<string, string>> = {
  expires: "Fri, 01 Jan 1980 00:00:00 GMT",
  pragma: "no-cache",
  "cache-control": "no-cache, max-age=0, must-revalidate",
};

/** An answer that is not Git's: one line of plain text, which git shows to its user. */
export interface Refusal {
  readonly status: number;
  readonly text: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** Words a {@link Refusal}. Without a body for HEAD. */
export function refusalAnswer(refusal: Refusal, head: boolean): HttpAnswer {
  const body = new TextEncoder().encode(`${oneLine(refusal.text).slice(0, 1000)}\n`);
  return {
    status: refusal.status,
    headers: {
      ...NO_CACHE,
      "content-type": "text/plain; charset=utf-8",
      "content-length": String(body.length),
      "x-content-type-options": "nosniff",
      ...refusal.headers,
    },
    body: head ? undefined : body,
  };
}

function oneLine(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what has to go
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, "?");
}
