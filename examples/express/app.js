// Orders, with Express and node-postgres.
import crypto from "node:crypto";
import express from "express";
import pg from "pg";

const pool = new pg.Pool({
  connectionString: process.env.DATABASE_URL,
  max: 5,
  connectionTimeoutMillis: 400,
  query_timeout: 450,
  statement_timeout: 440, // the server ends what its caller has given up
});
// Without a listener, the end of an idle connection ends the process.
pool.on("error", (error) => console.error("idle connection:", error.code));
// The same holds for a connection in use; whoever waits for its query hears of it there.
pool.on("connect", (client) => client.on("error", () => {}));

const CONFLICTS = new Set(["40001", "40P01"]); // met another transaction: nothing was done
const READ_ONLY = "25006"; // the server was demoted: this connection is of no use

class Undetermined extends Error {}
class AnotherOrder extends Error {}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// Each request earns a tenth of a retry, so retries do not multiply the load when all fails.
let saved = 5;

async function retried(work) {
  saved = Math.min(5, saved + 0.1);
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (!CONFLICTS.has(error.code) || attempt === 3 || saved < 1) throw error;
      saved -= 1;
      await pause((0.5 + Math.random() / 2) * 20 * 2 ** attempt);
    }
  }
}

// Lease a connection; it goes back to the pool only if the server still answers on it.
async function leased(work) {
  const client = await pool.connect();
  let broken = true;
  try {
    const result = await work(client);
    broken = false;
    return result;
  } catch (error) {
    if (error instanceof AnotherOrder) {
      broken = false;
    } else if (error.severity === "ERROR" && error.code !== READ_ONLY) {
      await client.query("rollback");
      broken = false;
    }
    throw error;
  } finally {
    client.release(broken);
  }
}

async function placed(customer, key) {
  return leased(async (client) => {
    await client.query("begin");
    if (key) {
      const { rows } = await client.query("select id, customer from orders where key = $1", [key]);
      if (rows.length) {
        await client.query("commit");
        if (rows[0].customer !== customer) throw new AnotherOrder("the key belongs to another order");
        return rows[0].id;
      }
    }
    const { rows } = await client.query(
      "insert into orders (customer, key) values ($1, $2) returning id",
      [customer, key],
    );
    try {
      await client.query("commit");
    } catch (error) {
      if (error.severity === "ERROR") throw error;
      throw new Undetermined("the reply to COMMIT never came");
    }
    return rows[0].id;
  });
}

// -- errors, all in one format (RFC 9457) --------------------------------------------------------

function problem(request, response, status, title, error, headers = {}) {
  const sent = /^00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/.exec(request.get("traceparent") ?? "");
  const trace = sent?.[1] ?? crypto.randomBytes(16).toString("hex");
  console.error("ERROR", trace, request.method, request.path, status, error?.code ?? "", error?.message ?? "");
  response
    .status(status)
    .set(headers)
    .type("application/problem+json")
    .send(JSON.stringify({ type: "about:blank", title, status, trace_id: trace }));
}

function answer(error, request, response, _next) {
  const say = (status, title, headers) => problem(request, response, status, title, error, headers);
  if (error instanceof Undetermined) return say(504, "It is not known whether the order was placed");
  if (error instanceof AnotherOrder) return say(422, "The key belongs to another order");
  if (error.type === "entity.parse.failed") return say(400, "The body is not JSON");
  if (error.code === "23505") return say(409, "There is such an order already");
  if (error.code?.startsWith("22")) return say(422, "The request is invalid");
  return say(503, "The database is unavailable", { "Retry-After": "1" });
}

// -- routes --------------------------------------------------------------------------------------

const app = express();
app.disable("x-powered-by");
app.use(express.json());

app.get("/orders", async (_request, response) => {
  const list = "select id, customer from orders order by id desc limit 10";
  const { rows } = await retried(() => leased((client) => client.query(list)));
  response.json(rows);
});

app.post("/orders", async (request, response) => {
  const customer = request.body?.customer;
  if (typeof customer !== "string" || customer.length > 80) {
    return problem(request, response, 422, "The request is invalid");
  }
  const id = await retried(() => placed(customer, request.get("Idempotency-Key") ?? null));
  response.status(201).json({ id, customer });
});

app.all("/orders", (request, response) =>
  problem(request, response, 405, "Method not allowed", undefined, { Allow: "GET, POST" }),
);

app.get("/shipping", (_request, response) => response.json({ cents: 490 }));

app.get("/live", (_request, response) => response.json({ status: "pass" }));

app.get("/ready", async (_request, response) => {
  try {
    await pool.query("select 1");
    response.json({ status: "pass" });
  } catch (error) {
    console.warn("not ready:", error.code ?? error.message);
    response.status(503).json({ status: "fail", checks: { database: [{ status: "fail" }] } });
  }
});

app.use((request, response) => problem(request, response, 404, "Not found"));
app.use(answer);

const server = app.listen(Number(process.env.PORT), "127.0.0.1");

// Requests under way are finished; then the process ends.
process.on("SIGTERM", () => {
  server.close(async () => {
    await Promise.race([pool.end(), pause(500)]);
    process.exit(0);
  });
  server.closeIdleConnections();
});
