// Notes from a cache that notifications keep up to date, with node:http and node-postgres.
import http from "node:http";
import pg from "pg";

const connectionString = process.env.DATABASE_URL;
const pool = new pg.Pool({ connectionString, max: 5, connectionTimeoutMillis: 400, query_timeout: 450 });
pool.on("error", (error) => console.error("idle connection:", error.code));
pool.on("connect", (client) => client.on("error", () => {}));

let cached = [];

async function read(client) {
  cached = (await client.query("select id, text from notes order by id desc limit 10")).rows;
}

async function follow() {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: 400, query_timeout: 450 });
  const ended = new Promise((resolve) => client.on("end", resolve));
  client.on("error", (error) => console.error("listener:", error.code));
  client.on("notification", () => read(client).catch(() => {}));
  try {
    await client.connect();
    await client.query("listen notes");
    await read(client);
    await ended;
  } catch (error) {
    console.error("listener:", error.code);
  }
}

const routes = {
  "GET /board": async () => cached,
  "GET /notes": async () =>
    (await pool.query("select id, text from notes order by id desc limit 10")).rows,
  "GET /live": async () => ({ status: "pass" }),
  "GET /ready": async () => (await pool.query("select 1 as one")).rows[0],
};

function answer(response, status, body, headers = {}) {
  response.writeHead(status, { "Content-Type": "application/json", ...headers });
  response.end(JSON.stringify(body));
}

const server = http.createServer(async (request, response) => {
  const route = routes[`${request.method} ${request.url}`];
  if (!route) return answer(response, 404, { detail: "Not found" });
  try {
    answer(response, 200, await route());
  } catch (error) {
    console.error(error.code, error.message);
    answer(response, 503, { detail: "The database is unavailable" }, { "Retry-After": "1" });
  }
});

server.listen(Number(process.env.PORT), "127.0.0.1");
follow();
