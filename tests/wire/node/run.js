// Runs SQL through a driver of Node.js, as told by lines of JSON; see tests/wire/program.py.

import { createInterface } from "node:readline";

const DEADLINE = 10_000; // milliseconds

async function nodePostgres(dsn) {
  const { default: pg } = await import("pg");
  const client = new pg.Client({
    connectionString: dsn,
    connectionTimeoutMillis: DEADLINE,
    query_timeout: DEADLINE,
  });
  client.on("error", () => {}); // an idle connection that ends; the next query tells it
  await client.connect();
  return {
    // Without values it is a simple query.
    run: async (sql, args) => {
      const asked = args.length ? { text: sql, values: args } : { text: sql };
      const found = await client.query({ ...asked, rowMode: "array" });
      return Array.isArray(found) ? [] : found.rows;
    },
    close: () => client.end(),
  };
}

async function postgresJs(dsn) {
  const { default: postgres } = await import("postgres");
  const sql = postgres(dsn, {
    max: 1,
    connect_timeout: DEADLINE / 1000,
    fetch_types: false,
    onnotice: () => {},
  });
  await sql.unsafe("select 1");
  return {
    run: async (text, args) => (await sql.unsafe(text, args).values()).map((row) => [...row]),
    close: () => sql.end({ timeout: 1 }),
  };
}

const open = process.argv[2] === "pg" ? nodePostgres : postgresJs;
let connection;
for await (const line of createInterface({ input: process.stdin })) {
  let answer;
  try {
    if (connection === undefined) {
      connection = await open(line);
      answer = { rows: [] };
    } else {
      const { sql, args } = JSON.parse(line);
      answer = { rows: await connection.run(sql, args) };
    }
  } catch (error) {
    const sqlstate = /^[0-9A-Z]{5}$/.test(error.code ?? "") ? error.code : "";
    answer = { error: String(error.message ?? error), sqlstate };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
await connection?.close().catch(() => {});
process.exit(0);
