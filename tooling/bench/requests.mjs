// The requests that servers meet all day, as git's own client makes them: it lists the refs it asks for, then fetches.
import { idsOf, open, openHttp, withClient } from "./raw-client.mjs";

const DEFAULT_PREFIXES = ["HEAD", "refs/heads/", "refs/tags/"];
/** Commits that the client is behind. */
const BEHIND = 10;
/** Haves that git's client sends before it waits for an answer. */
const FIRST_HAVES = 16;

const openOver = {
  "git://": (server, repository) => open(server.port, repository),
  "http://": (server, repository) => openHttp(server.httpPort, repository),
};

/** @param request makes the request anew each time */
const fetchAfterListing = (way, repository, request) => (server) =>
  withClient(openOver[way](server, repository), async (client) => {
    await client.listRefs(DEFAULT_PREFIXES);
    const { objects } = await client.fetch(request());
    if (objects === undefined) throw new Error("the server sent no pack");
    return objects;
  });

/**
 * Small fetches of the default branch, each as a function of a server that gives the objects that came.
 * `filter`: only servers that filter can be asked.
 */
export function smallFetches(git, directory, repository) {
  const list = (...args) => git.run("-C", directory, "rev-list", ...args).split("\n");
  const [tip] = list("--max-count=1", "HEAD");
  const [old] = list("--first-parent", "--max-count=1", `--skip=${BEHIND}`, "HEAD");
  const haves = list(`--max-count=${FIRST_HAVES}`, old);
  const wants = [tip];
  const behind = { wants, haves, args: ["thin-pack"], done: false };
  const shallow = { wants, args: ["thin-pack", "deepen 1"] };
  const nothing = { wants, haves: wants, args: ["thin-pack"] };
  const partial = { wants, args: ["thin-pack", "filter blob:none"] };
  // The same objects, asked for in words that no server has heard before, so that none can answer from memory.
  const others = [...new Set(git.run("-C", directory, "for-each-ref", "--format=%(objectname)").split("\n"))];
  let asked = 0;
  const unheardOf = () => ({ ...partial, wants: [tip, others[asked++ % others.length], others[asked % 7]] });
  return ["git://", "http://"].flatMap((way) => [
    {
      name: `fetch that brings nothing over ${way}`,
      way,
      run: fetchAfterListing(way, repository, () => nothing),
    },
    {
      name: `fetch of ${BEHIND} commits over ${way}`,
      way,
      run: fetchAfterListing(way, repository, () => behind),
    },
    { name: `fetch --depth 1 over ${way}`, way, run: fetchAfterListing(way, repository, () => shallow) },
    ...[
      [`fetch --filter=blob:none over ${way}`, () => partial],
      [`the same, asked for anew, over ${way}`, unheardOf],
    ].map(([name, request]) => ({
      name,
      way,
      run: fetchAfterListing(way, repository, request),
      isServed: (server) => withClient(openOver[way](server, repository), async (client) => client.filters),
    })),
  ]);
}

/** Listings on a connection of their own. */
export function listings(repository) {
  const listing = (way, prefixes) => (server) =>
    withClient(openOver[way](server, repository), async (client) => (await client.listRefs(prefixes)).length);
  return ["git://", "http://"].flatMap((way) => [
    { name: `ls-refs of all over ${way}`, way, run: listing(way, []) },
    { name: `ls-refs of branches and tags over ${way}`, way, run: listing(way, DEFAULT_PREFIXES) },
  ]);
}

/** What a client asks that has everything: a listing, and the fetch that brings nothing. */
export async function nothingNew(server, repository) {
  const wants = idsOf(await withClient(open(server.port, repository), (client) => client.listRefs()));
  const fetch = { wants, haves: wants.slice(0, 256) };
  return (any) => withClient(open(any.port, repository), (client) => client.fetch(fetch));
}
