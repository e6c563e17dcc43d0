// Notes, with Express 4 and node-postgres.
import express from "express4";
import pg from "pg";

const pool = new pg.Pool({
  connectionString: process.env.DATABASE_URL,
  max: 5,
  connectionTimeoutMillis: 400,
  query_timeout: 450,
});
pool.on("error", (error) => console.error("idle connection:", error.code));
pool.on("connect", (client) => client.on("error", () => {}));

const app = express();
const caught = (handler) => (request, response, next) =>
  handler(request, response).catch(next);

app.get("/notes", caught(async (_request, response) => {
  const { rows } = await pool.query("select id, text from notes order by id desc limit 10");
  response.json(rows);
}));

app.get("/live", (_request, response) => response.json({ status: "pass" }));

app.get("/ready", caught(async (_request, response) => {
  await pool.query("select 1");
  response.json({ status: "pass" });
}));

app.use((error, _request, response, _next) => {
  console.error(error.code, error.message);
  response.status(503).set("Retry-After", "1").json({ detail: "The database is unavailable" });
});

app.listen(Number(process.env.PORT), "127.0.0.1");
