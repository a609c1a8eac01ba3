import "ssh2";
import type { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import type { Duplex, Readable } from "node:stream";

/** The client's half of `ssh2`, for tests, some of its insides included. */
declare module "ssh2" {
  interface ClientChannel extends Duplex {
    readonly stderr: Readable;
    readonly outgoing: { readonly id: number };
    readonly incoming: { readonly id: number };
    close(): void;
    signal(name: string): void;
  }
  type Done<T> = (error: Error | undefined, result: T) => void;
  interface ClientProtocol {
    channelWindowAdjust(channel: number, amount: number): void;
    channelData(channel: number, data: Buffer): void;
    session(channel: number, window: number, packetSize: number): void;
    exec(channel: number, command: string, wantReply: boolean): void;
    rekey(): void;
  }
  interface ClientConnection extends EventEmitter {
    readonly _sock: Socket;
    readonly _protocol: ClientProtocol;
    readonly _chanMgr: { add(value: unknown): number };
    connect(options: Record<string, unknown>): this;
    exec(command: string, options: Record<string, unknown>, done: Done<ClientChannel>): void;
    exec(command: string, done: Done<ClientChannel>): void;
    shell(pty: false, done: Done<ClientChannel>): void;
    subsys(name: string, done: Done<ClientChannel>): void;
    forwardIn(host: string, port: number, done: Done<number>): void;
    forwardOut(host: string, port: number, to: string, toPort: number, done: Done<ClientChannel>): void;
    end(): this;
    destroy(): this;
  }
  abstract class BaseAgent {
    abstract getIdentities(done: (error: Error | undefined, keys?: unknown[]) => void): void;
    abstract sign(
      key: unknown,
      data: Buffer,
      options: unknown,
      done: (error: Error | undefined, signature?: Buffer) => void,
    ): void;
  }
  interface ParsedKey {
    sign(data: Buffer): Buffer;
  }
  interface Ssh2 {
    readonly Client: new () => ClientConnection;
    readonly BaseAgent: typeof BaseAgent;
  }
}
