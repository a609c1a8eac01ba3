import { InvalidArgumentError } from "commander";

/** A port, or `off`. @throws InvalidArgumentError for anything else */
export function parsePort(text: string): number | "off" {
  if (text === "off") return "off";
  if (!/^[0-9]{1,5}$/.test(text) || Number(text) > 65535)
    throw new InvalidArgumentError("It is a number from 0 to 65535, or off.");
  return Number(text);
}

/** Adds to what may be given several times. @throws InvalidArgumentError for a service that cannot be switched on */
export function collectService(text: string, services: readonly string[]): readonly string[] {
  const name = text.replace(/^git-/, "");
  if (name !== "receive-pack") throw new InvalidArgumentError("It is receive-pack.");
  return [...services, name];
}

/** Only this machine can reach the address. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(?:\.[0-9]{1,3}){3}$/.test(host);
}
