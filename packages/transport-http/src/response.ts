/** Spec: gitprotocol-http, "Smart Server Response"; the very headers of git-http-backend. */
export const NO_CACHE: Readonly<Record<string, string>> = {
  "cache-control": "no-cache, max-age=0, must-revalidate",
  expires: "Fri, 01 Jan 1980 00:00:00 GMT",
  pragma: "no-cache",
};

/** An answer that is not Git's: one line of plain text, which git shows to its user. */
export interface Refusal {
  readonly status: number;
  readonly text: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** Words a {@link Refusal}. Without a body for HEAD. */
export function refusalResponse(refusal: Refusal, head: boolean): Response {
  const body = new TextEncoder().encode(`${oneLine(refusal.text).slice(0, 1000)}\n`);
  return new Response(head ? null : body, {
    status: refusal.status,
    headers: {
      ...NO_CACHE,
      "content-type": "text/plain; charset=utf-8",
      "content-length": String(body.length),
      "x-content-type-options": "nosniff",
      ...refusal.headers,
    },
  });
}

function oneLine(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what has to go
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, "?");
}
