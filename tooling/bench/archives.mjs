// Archives as a client of `git archive --remote` gets them, counted and thrown away.
import { connect } from "node:net";
import { line } from "./packets.mjs";

/** Asks for an archive of HEAD. @returns the format, when it came whole */
function archiveOnce(port, repository, format) {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    let bytes = 0;
    let last = Buffer.alloc(0);
    socket.on("data", (chunk) => {
      bytes += chunk.length;
      last = Buffer.concat([last, chunk]).subarray(-4);
    });
    socket.on("error", reject);
    socket.on("close", () => {
      if (bytes > 1000 && last.toString("latin1") === "0000") resolve(format);
      else reject(new Error(`no ${format}: ${bytes} bytes`));
    });
    socket.write(line(`git-upload-archive /${repository}\0host=127.0.0.1\0`));
    socket.write(`${line(`argument --format=${format}\n`)}${line("argument HEAD\n")}0000`);
  });
}

/** Each format of archive, as a kind of request. */
export function archives(repository) {
  return ["tar", "tar.gz", "zip"].map((format) => ({
    name: `archive: ${format}`,
    way: "git://",
    run: ({ port }) => archiveOnce(port, repository, format),
  }));
}
