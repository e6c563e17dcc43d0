// Notes, with node:http and node-postgres.
import http from "node:http";
import pg from "pg";

const pool = new pg.Pool({
  connectionString: process.env.DATABASE_URL,
  max: 5,
  connectionTimeoutMillis: 400,
  query_timeout: 900,
});
pool.on("error", (error) => console.error("idle connection:", error.code));
pool.on("connect", (client) => client.on("error", () => {}));

const routes = {
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

process.on("SIGTERM", () => {
  server.close();
  process.exit(0);
});
