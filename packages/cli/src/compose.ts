import { type Logger, type Repository, type RepositoryResolver, ServiceError } from "@x/server-core";
import {
  createRepositoryOpener,
  createWorkerPool,
  type Durability,
  findRepository,
  type RepositoriesUnder,
  type RepositoryLayout,
  readLayout,
  repositoriesUnder,
  StorageFsError,
} from "@x/storage-fs";

/** What the commands need of a storage. This file alone knows which one it is. */
export interface Storage {
  /**
   * The repositories below `root` and nothing else. `createOnPush`: a push makes the one that is not there. `admit`
   * throws for those that may not be pushed to.
   */
  resolverUnder(
    root: string,
    options: {
      readonly createOnPush: boolean;
      readonly admit?: ((layout: RepositoryLayout) => Promise<void>) | undefined;
      /** Where links and alternates may lead beside the root. */
      readonly alsoWithin?: readonly string[] | undefined;
    },
  ): RepositoryResolver;
  /**
   * The repository at a path that the operator vouches for, looked up as git does unless `strict`; `undefined` when
   * there is none.
   */
  openRepository(path: string, options: { readonly strict: boolean }): Promise<Repository | undefined>;
  /** The repository at `layout`. */
  open(layout: RepositoryLayout): Promise<Repository>;
  /** Ends its workers. */
  close(): Promise<void>;
}

/** Opens the file system as a storage. */
export function openStorage(options: {
  readonly logger?: Logger | undefined;
  readonly durability?: Durability | undefined;
}): Storage {
  const onWarning = (message: string) => options.logger?.warn({}, message);
  const pool = createWorkerPool({ onWarning });
  pool.warm();
  const opener = createRepositoryOpener(pool, { onWarning, durability: options.durability });
  return {
    resolverUnder(root, { createOnPush, admit, alsoWithin }) {
      const onOutside = (directory: string, target: string) =>
        options.logger?.warn(
          {},
          `${directory} is not served: it needs ${target}, which is outside of ${root} (see alsoWithin)`,
        );
      const repositories = repositoriesUnder(root, { alsoWithin, onOutside });
      return async (call) => {
        try {
          const isPush = call.service === "git-receive-pack";
          const create = createOnPush && isPush;
          const found = await repositories.find(call.repository);
          const layout = found ?? (create ? await createFor(repositories, call.repository) : undefined);
          if (layout !== undefined && isPush) await admit?.(layout);
          return layout && (await opener.open(layout));
        } catch (error) {
          throw fitForPeers(error);
        }
      };
    },
    async openRepository(path, { strict }) {
      const layout = await (strict ? readLayout(path) : findRepository(path));
      return layout && (await opener.open(layout));
    },
    async open(layout) {
      try {
        return await opener.open(layout);
      } catch (error) {
        throw fitForPeers(error);
      }
    },
    close: () => pool.close(),
  };
}

/** A name that is not fit for a new repository reads like one that is not there. */
async function createFor(
  repositories: RepositoriesUnder,
  name: string,
): Promise<RepositoryLayout | undefined> {
  try {
    return await repositories.create(name, {});
  } catch (error) {
    if (!(error instanceof StorageFsError)) throw error;
    // Another push may have made it meanwhile.
    return error.code === "storage-fs/repository-exists" ? repositories.find(name) : undefined;
  }
}

/** What the system says has paths in it. */
function fitForPeers(error: unknown): unknown {
  if (error instanceof StorageFsError || error instanceof ServiceError) return error;
  return new ServiceError("server-core/internal", "internal server error", { cause: error });
}
