// Writes a made-up history as a fast-import stream: the same bytes for the same number on every machine.
// Text files that are edited a few lines at a time (so that packs hold chains of deltas), some files that do not
// compress, nested directories, merges, branches and tags.

/** Goes up whenever the stream changes, so that no cached repository is taken for a new one. */
export const GENERATOR_VERSION = 1;

const OBJECTS_PER_COMMIT = 8.1; // measured: the commit, the files and the directories above them
const BRANCHES = 40;

/** @yields {string | Buffer} */
export function* history(objects) {
  const random = mulberry32(0x5eed + GENERATOR_VERSION);
  const below = (count) => Math.floor(random() * count);
  const words = Array.from({ length: 4096 }, () => word(below));
  const commits = Math.ceil(objects / OBJECTS_PER_COMMIT);
  const files = [];
  let mark = 0;
  let tip = 0;
  let side = 0;
  let topic = "";

  const sentence = () =>
    `${Array.from({ length: 4 + below(9) }, () => words[below(words.length)]).join(" ")}\n`;
  const path = () => `${words[below(24)]}/${words[below(40)]}/${words[below(20)]}-${files.length}`;
  const newText = () => ({ path: `${path()}.txt`, lines: Array.from({ length: 20 + below(220) }, sentence) });
  const edit = (file) => {
    for (let count = 1 + below(4); count > 0; count--) {
      const at = below(file.lines.length);
      file.lines.splice(at, below(3), ...Array.from({ length: below(3) }, sentence), sentence());
    }
  };

  for (let number = 0; number < commits; number++) {
    const changes = [];
    if (number === 0)
      for (let count = 0; count < 1500; count++) {
        files.push(newText());
        changes.push(files.at(-1));
      }
    else {
      for (let count = 1 + below(3); count > 0; count--) {
        const file = files[below(files.length)];
        edit(file);
        changes.push(file);
      }
      if (below(6) === 0) {
        files.push(newText());
        changes.push(files.at(-1));
      }
    }
    const branchOff = number > 1 && side === 0 && below(10) === 0;
    const merge = side !== 0 && below(3) === 0;
    if (branchOff) topic = `refs/heads/topic-${below(BRANCHES)}`;
    const ref = (side !== 0 && !merge) || branchOff ? topic : "refs/heads/main";
    const own = ++mark;
    const when = 1_500_000_000 + number * 977;
    const message = sentence() + sentence();
    yield `commit ${ref}\nmark :${own}\n`;
    yield `author A ${words[below(50)]} <a@example.com> ${when} +0000\ncommitter C <c@example.com> ${when} +0000\n`;
    yield `data ${message.length}\n${message}`;
    if (tip !== 0) yield `from :${side !== 0 && !merge ? side : tip}\n`;
    if (merge) yield `merge :${side}\n`;
    for (const { path: name, lines } of changes) {
      const text = lines.join("");
      yield `M 100644 inline ${name}\ndata ${text.length}\n${text}\n`;
    }
    if (below(5) === 0) {
      const data = noise(random, 2000 + below(30_000));
      yield `M 100644 inline assets/${words[below(30)]}/${number}.bin\ndata ${data.length}\n`;
      yield data;
      yield "\n";
    }
    if (merge) side = 0;
    if (side !== 0 || branchOff) side = own;
    else tip = own;
    if (number % 100 === 99) {
      const note = sentence();
      yield `tag v0.${(number + 1) / 100}\nfrom :${tip}\ntagger C <c@example.com> ${when} +0000\ndata ${note.length}\n${note}`;
    }
  }
  yield "done\n";
}

function word(below) {
  return Array.from({ length: 2 + below(4) }, () => "bdfgklmnprstvz"[below(14)] + "aeiou"[below(5)]).join("");
}

function noise(random, size) {
  const data = Buffer.alloc(size);
  for (let at = 0; at < size; at++) data[at] = random() * 256;
  return data;
}

/** A small generator of equal numbers everywhere (public domain, Tommy Ettinger). */
function mulberry32(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
