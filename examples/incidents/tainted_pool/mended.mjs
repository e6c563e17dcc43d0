// Notes, with node:http and node-postgres.
import http from "node:http";
import pg from "pg";

const pool = new pg.Pool({
  connectionString: process.env.DATABASE_URL,
  max: 5,
  connectionTimeoutMillis: 400,
  query_timeout: 450,
});
pool.on("error", (error) => console.error("idle connection:", error.code));
pool.on("connect", (client) => client.on("error", () => {}));

async function add({ text }) {
  const client = await pool.connect();
  try {
    await client.query("begin");
    const { rows } = await client.query("insert into notes (text) values ($1) returning id", [text]);
    await client.query("commit");
    return rows[0];
  } catch (error) {
    await client.query("rollback");
    throw error;
  } finally {
    client.release();
  }
}

const routes = {
  "GET /notes": async () =>
    (await pool.query("select id, text from notes order by id desc limit 10")).rows,
  "POST /notes": add,
  "GET /live": async () => ({ status: "pass" }),
  "GET /ready": async () => (await pool.query("select 1 as one")).rows[0],
};

function answer(response, status, body, headers = {}) {
  response.writeHead(status, { "Content-Type": "application/json", ...headers });
  response.end(JSON.stringify(body));
}

async function sent(request) {
  const chunks = await request.toArray();
  return chunks.length ? JSON.parse(Buffer.concat(chunks)) : undefined;
}

const server = http.createServer(async (request, response) => {
  const route = routes[`${request.method} ${request.url}`];
  if (!route) return answer(response, 404, { detail: "Not found" });
  try {
    const body = await sent(request);
    answer(response, body ? 201 : 200, await route(body));
  } catch (error) {
    console.error(error.code, error.message);
    if (error.code === "23505") return answer(response, 409, { detail: "There is such a note already" });
    answer(response, 503, { detail: "The database is unavailable" }, { "Retry-After": "1" });
  }
});

server.listen(Number(process.env.PORT), "127.0.0.1");
