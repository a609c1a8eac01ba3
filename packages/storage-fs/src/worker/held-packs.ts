import type { PackReader } from "@x/pack";
import type { StoreLocation } from "../pool/worker-protocol.ts";

/** A pack that has come in and lies on no disk yet, and the files that go with it. */
export interface HeldPack {
  /** Its file name without suffix. */
  readonly name: string;
  readonly packBytes: Uint8Array;
  readonly indexBytes: Uint8Array;
  readonly reverseIndexBytes: Uint8Array;
  readonly reader: PackReader;
}

/** What quarantines hold in memory, until they are published or forgotten. */
export class HeldPacks {
  readonly #packs: Map<string, HeldPack[]> = new Map();

  of({ objectsDirectory }: StoreLocation): readonly HeldPack[] {
    return this.#packs.get(objectsDirectory) ?? [];
  }

  add({ objectsDirectory }: StoreLocation, pack: HeldPack): void {
    this.#packs.set(objectsDirectory, [...(this.#packs.get(objectsDirectory) ?? []), pack]);
  }

  drop(location: StoreLocation, pack: HeldPack): void {
    const left = this.of(location).filter((held) => held !== pack);
    if (left.length === 0) this.forget(location);
    else this.#packs.set(location.objectsDirectory, left);
  }

  forget({ objectsDirectory }: StoreLocation): void {
    this.#packs.delete(objectsDirectory);
  }
}
