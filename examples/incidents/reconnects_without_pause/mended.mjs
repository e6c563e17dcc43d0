// Notes from a cache that one connection refreshes, with node:http and node-postgres.
import http from "node:http";
import pg from "pg";

const connectionString = process.env.DATABASE_URL;
let cached = null;

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function refresh() {
  let wait = 100;
  for (;;) {
    const client = new pg.Client({ connectionString, connectionTimeoutMillis: 400, query_timeout: 450 });
    client.on("error", (error) => console.error("refresh:", error.code));
    try {
      await client.connect();
      for (;;) {
        cached = (await client.query("select id, text from notes order by id desc limit 10")).rows;
        wait = 100;
        await pause(100);
      }
    } catch (error) {
      console.error("refresh:", error.code);
      cached = null;
      client.end().catch(() => {});
    }
    await pause(wait * (0.5 + Math.random() / 2));
    wait = Math.min(2 * wait, 1500);
  }
}

const routes = {
  "GET /notes": async () => {
    if (!cached) throw new Error("not read yet");
    return cached;
  },
  "GET /live": async () => ({ status: "pass" }),
  "GET /ready": async () => routes["GET /notes"](),
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
refresh();
