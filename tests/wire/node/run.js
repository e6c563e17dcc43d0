// Runs SQL through a driver of Node.js, as told by lines of JSON; see tests/wire/program.py.

import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { text } from "node:stream/consumers";

const DEADLINE = 10_000; // milliseconds

// Notifications, in the order in which they came.
function mailbox() {
  const waiting = [];
  const readers = [];
  return {
    put: (payload) => (readers.length ? readers.shift()(payload) : waiting.push(payload)),
    get: () => (waiting.length ? waiting.shift() : new Promise((tell) => readers.push(tell))),
  };
}

async function nodePostgres(dsn) {
  const { default: pg } = await import("pg");
  const { default: Cursor } = await import("pg-cursor");
  const { default: copying } = await import("pg-copy-streams");
  const client = new pg.Client({
    connectionString: dsn,
    connectionTimeoutMillis: DEADLINE,
    query_timeout: DEADLINE,
  });
  const notifications = mailbox();
  client.on("notification", ({ payload }) => notifications.put(payload));
  client.on("error", () => {}); // an idle connection that ends; the next query tells it
  await client.connect();
  return {
    // Without values it is a simple query.
    run: async ({ sql, args }) => {
      const asked = args.length ? { text: sql, values: args } : { text: sql };
      const found = await client.query({ ...asked, rowMode: "array" });
      return Array.isArray(found) ? [] : found.rows;
    },
    fetch: async ({ sql, size }, rows) => {
      await client.query("begin");
      try {
        const cursor = client.query(new Cursor(sql, [], { rowMode: "array" }));
        let found;
        do {
          found = await cursor.read(size);
          rows.push(...found);
        } while (found.length === size);
        await cursor.close();
      } finally {
        await client.query("rollback");
      }
      return rows;
    },
    "copy in": async ({ sql, data }) => {
      await pipeline(Readable.from([data]), client.query(copying.from(sql)));
      return [];
    },
    "copy out": async ({ sql }) => [[await text(client.query(copying.to(sql)))]],
    listen: async ({ sql }) => (await client.query(`listen ${pg.escapeIdentifier(sql)}`)).rows,
    notified: async () => [[await notifications.get()]],
    close: () => client.end(),
  };
}

// Its COPY is left out: after an error its stream never ends (porsager/postgres#1173).
async function postgresJs(dsn) {
  const { default: postgres } = await import("postgres");
  const sql = postgres(dsn, {
    max: 1,
    connect_timeout: DEADLINE / 1000,
    fetch_types: false,
    onnotice: () => {},
  });
  const notifications = mailbox();
  await sql.unsafe("select 1");
  return {
    run: async ({ sql: words, args }) =>
      (await sql.unsafe(words, args).values()).map((row) => [...row]),
    batch: async ({ sql: words, args }) => {
      const asked = args.map((number) => sql.unsafe(words, [number]));
      const failed = (await Promise.allSettled(asked)).find((one) => one.status === "rejected");
      if (failed) throw failed.reason;
      return [];
    },
    fetch: async ({ sql: words, size }, rows) => {
      await sql.begin(async (transaction) => {
        const query = transaction.unsafe(words, [], { simple: false });
        for await (const some of query.cursor(size)) {
          rows.push(...some.map((row) => Object.values(row)));
        }
      });
      return rows;
    },
    // It listens on a connection of its own, to the same proxy.
    listen: async ({ sql: channel }) => {
      await sql.listen(channel, notifications.put);
      return [];
    },
    notified: async () => [[await notifications.get()]],
    close: () => sql.end({ timeout: 1 }),
  };
}

const open = process.argv[2] === "pg" ? nodePostgres : postgresJs;
let connection;
for await (const line of createInterface({ input: process.stdin })) {
  const rows = [];
  let answer;
  try {
    if (connection === undefined) {
      connection = await open(line);
      answer = { rows };
    } else {
      const asked = JSON.parse(line);
      answer = { rows: await connection[asked.do](asked, rows) };
    }
  } catch (error) {
    const sqlstate = /^(?=.*[0-9])[0-9A-Z]{5}$/.test(error.code ?? "") ? error.code : "";
    answer = { error: String(error.message ?? error), sqlstate, rows };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
await connection?.close().catch(() => {});
process.exit(0);
