import { spawn } from "node:child_process";
import { closeSync, constants, openSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/*
 * Node joins parent and child by sockets, and a socket cannot be opened by a path: `echo >/dev/stderr` and
 * `while read ... done </dev/stdin` fail in a child of Node's, and hooks are full of them. Pipes can, and one of them takes
 * what comes out of both outputs in its true order. Node makes none, but opens those that mkfifo(1) has made.
 */

/** A pipe: our end, and the end for a program, which whoever starts that closes. */
export interface Pipe {
  readonly ours: Socket;
  readonly theirs: number;
}

/** `toProgram`: we write and it reads; the other way round `fromProgram`. */
export type Direction = "toProgram" | "fromProgram";

const { O_NONBLOCK, O_RDONLY, O_RDWR, O_WRONLY } = constants;

/** On Linux what is open can be opened again: pipes are made so many at a time. */
const REOPENS: boolean = process.platform === "linux";
const BATCH = 16;

/** Makes pipes, some ahead. Nothing of them stays in the file system. */
export class PipeMaker {
  readonly #spare: number[] = [];

  /** @returns a pipe for each, in order; `undefined` where none can be made: then sockets must do */
  async make(directions: readonly Direction[]): Promise<readonly Pipe[] | undefined> {
    try {
      if (!REOPENS) return await withFifos(directions.length, async (paths) => openPipes(directions, paths));
      if (this.#spare.length < directions.length) {
        const open = (path: string) => openSync(path, O_RDWR | O_NONBLOCK);
        this.#spare.push(...(await withFifos(BATCH, async (paths) => paths.map(open))));
      }
      const fifos = this.#spare.splice(-directions.length);
      try {
        return openPipes(
          directions,
          fifos.map((fifo) => `/proc/self/fd/${fifo}`),
        );
      } finally {
        for (const fifo of fifos) closeSync(fifo);
      }
    } catch {
      return undefined;
    }
  }

  /** Lets go of what was made ahead. */
  close(): void {
    for (const fifo of this.#spare.splice(0)) closeSync(fifo);
  }
}

async function withFifos<T>(count: number, use: (paths: readonly string[]) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), "hook-"));
  try {
    const paths = Array.from({ length: count }, (_, index) => join(directory, String(index)));
    await new Promise<void>((resolve, reject) => {
      spawn("mkfifo", ["-m", "600", ...paths], { stdio: "ignore" })
        .once("error", reject)
        .once("exit", (status) => (status === 0 ? resolve() : reject(new Error("mkfifo failed"))));
    });
    return await use(paths);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function openPipes(directions: readonly Direction[], paths: readonly string[]): Pipe[] {
  const pipes: Pipe[] = [];
  try {
    for (const [index, direction] of directions.entries())
      pipes.push(openPipe(direction, paths[index] as string));
    return pipes;
  } catch (error) {
    for (const { ours, theirs } of pipes) {
      ours.destroy();
      closeSync(theirs);
    }
    throw error;
  }
}

/** Each end is opened by itself: ours does not wait for data, theirs does, as programs expect. */
function openPipe(direction: Direction, path: string): Pipe {
  // An end by itself would wait for the other.
  const both = openSync(path, O_RDWR | O_NONBLOCK);
  try {
    const [mine, other] = direction === "toProgram" ? [O_WRONLY, O_RDONLY] : [O_RDONLY, O_WRONLY];
    const theirs = openSync(path, other);
    const readable = direction === "fromProgram";
    return {
      ours: new Socket({ fd: openSync(path, mine | O_NONBLOCK), readable, writable: !readable }),
      theirs,
    };
  } finally {
    closeSync(both);
  }
}
