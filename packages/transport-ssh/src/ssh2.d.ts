/** The part of `ssh2` that is used here, as version 1.17.0 has it. */
declare module "ssh2" {
  import type { EventEmitter } from "node:events";
  import type { Socket } from "node:net";
  import type { Duplex, Writable } from "node:stream";

  export interface AuthContext {
    readonly method: string;
    readonly username: string;
    /** What follows is there for `publickey` alone. */
    readonly key?: { readonly algo: string; readonly data: Buffer };
    readonly hashAlgo?: string;
    /** Not there while the client only asks whether a key would do. */
    readonly signature?: Buffer;
    /** What was signed. */
    readonly blob?: Buffer;
    accept(): void;
    reject(methodsLeft?: string[]): void;
  }

  export interface ServerChannel extends Duplex {
    readonly stderr: Writable;
    readonly outgoing: { readonly packetSize: number };
    exit(status: number): void;
    close(): void;
  }

  type Answer = (() => void) | undefined;

  export interface Session extends EventEmitter {
    on(
      event: "env",
      listener: (
        accept: Answer,
        reject: Answer,
        info: { readonly key: string; readonly val: string },
      ) => void,
    ): this;
    on(
      event: "exec",
      listener: (
        accept: () => ServerChannel | undefined,
        reject: Answer,
        info: { readonly command: string },
      ) => void,
    ): this;
    on(event: "shell", listener: (accept: () => ServerChannel | undefined, reject: Answer) => void): this;
    on(event: "close", listener: () => void): this;
  }

  export interface Connection extends EventEmitter {
    on(event: "authentication", listener: (context: AuthContext) => void): this;
    on(event: "handshake" | "ready" | "close", listener: () => void): this;
    on(event: "session", listener: (accept: () => Session | undefined, reject: () => void) => void): this;
    on(event: "error", listener: (error: Error) => void): this;
    end(): this;
  }

  export interface ServerConfig {
    readonly hostKeys: readonly string[];
    readonly ident?: string;
    readonly keepaliveInterval?: number;
    readonly keepaliveCountMax?: number;
    readonly algorithms?: {
      readonly kex?: readonly string[];
      readonly cipher?: readonly string[];
      readonly hmac?: readonly string[];
      readonly compress?: readonly string[];
      readonly serverHostKey?: readonly string[];
    };
  }

  export interface ParsedKey {
    readonly type: string;
    isPrivateKey(): boolean;
    getPublicSSH(): Buffer;
    verify(data: Buffer, signature: Buffer, hash?: string): boolean | Error;
  }

  class Server extends EventEmitter {
    constructor(config: ServerConfig);
    on(
      event: "connection",
      listener: (
        client: Connection,
        info: { readonly ip: string | undefined; readonly port: number | undefined },
      ) => void,
    ): this;
    injectSocket(socket: Socket): void;
  }

  export interface Ssh2 {
    readonly Server: typeof Server;
    readonly utils: {
      generateKeyPairSync(
        type: "ed25519" | "ecdsa",
        options?: { readonly comment?: string; readonly bits?: number },
      ): { readonly private: string; readonly public: string };
      parseKey(text: string | Buffer): ParsedKey | readonly ParsedKey[] | Error;
    };
  }
  const ssh2: Ssh2;
  export default ssh2;
}
