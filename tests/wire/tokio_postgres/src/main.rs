//! Runs SQL through tokio-postgres, as told by lines of JSON; see tests/wire/program.py.

use std::error::Error as StdError;
use std::io::{Cursor, Write};
use std::time::Duration;

use futures_util::{future, stream, SinkExt, StreamExt, TryStreamExt};
use serde_json::{json, Value};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::sync::mpsc::{unbounded_channel, UnboundedReceiver};
use tokio_postgres::types::ToSql;
use tokio_postgres::{AsyncMessage, Client, Error, NoTls, Row};

const DEADLINE: Duration = Duration::from_secs(10);

type Rows = Vec<Vec<Value>>;

struct Session {
    client: Client,
    notifications: UnboundedReceiver<String>,
}

impl Session {
    async fn open(dsn: &str) -> Result<Session, Error> {
        let (client, mut connection) = tokio_postgres::connect(dsn, NoTls).await?;
        let (sender, notifications) = unbounded_channel();
        tokio::spawn(async move {
            let mut messages = stream::poll_fn(move |cx| connection.poll_message(cx));
            while let Some(Ok(message)) = messages.next().await {
                if let AsyncMessage::Notification(told) = message {
                    let _ = sender.send(told.payload().to_owned());
                }
            }
        });
        Ok(Session { client, notifications })
    }

    async fn carry_out(&mut self, asked: &Value, rows: &mut Rows) -> Result<(), Error> {
        let sql = asked["sql"].as_str().unwrap_or_default();
        let numbers: Vec<i32> = asked["args"]
            .as_array()
            .map(|all| all.iter().map(|one| one.as_i64().unwrap() as i32).collect())
            .unwrap_or_default();
        match asked["do"].as_str().unwrap_or_default() {
            // Without numbers it is a simple query.
            "run" if numbers.is_empty() => {
                self.client.simple_query(sql).await?;
            }
            "run" => {
                let parameters: Vec<&(dyn ToSql + Sync)> =
                    numbers.iter().map(|one| one as &(dyn ToSql + Sync)).collect();
                rows.extend(self.client.query(sql, &parameters).await?.iter().map(values));
            }
            "batch" => self.batch(sql, &numbers).await?,
            "fetch" => {
                let size = asked["size"].as_i64().unwrap() as i32;
                self.fetch(sql, size, rows).await?;
            }
            "copy in" => {
                let data = asked["data"].as_str().unwrap().as_bytes().to_vec();
                let mut sink = Box::pin(self.client.copy_in(sql).await?);
                sink.send(Cursor::new(data)).await?;
                sink.as_mut().finish().await?;
            }
            "copy out" => {
                let mut pieces = Box::pin(self.client.copy_out(sql).await?);
                let mut data = Vec::new();
                while let Some(piece) = pieces.try_next().await? {
                    data.extend_from_slice(&piece);
                }
                rows.push(vec![json!(String::from_utf8(data).unwrap())]);
            }
            "listen" => self.client.batch_execute(&format!("listen \"{sql}\"")).await?,
            "notified" => rows.push(vec![json!(self.notifications.recv().await)]),
            other => panic!("tokio-postgres cannot {other}"),
        }
        Ok(())
    }

    async fn batch(&self, sql: &str, numbers: &[i32]) -> Result<(), Error> {
        let statement = &self.client.prepare(sql).await?;
        let sent = numbers
            .iter()
            .map(|number| async move { self.client.execute(statement, &[number]).await });
        for done in future::join_all(sent).await {
            done?;
        }
        Ok(())
    }

    async fn fetch(&mut self, sql: &str, size: i32, rows: &mut Rows) -> Result<(), Error> {
        let transaction = self.client.transaction().await?;
        let portal = transaction.bind(sql, &[]).await?;
        loop {
            let found = transaction.query_portal(&portal, size).await?;
            rows.extend(found.iter().map(values));
            if found.len() < size as usize {
                return transaction.rollback().await;
            }
        }
    }
}

fn values(row: &Row) -> Vec<Value> {
    (0..row.len()).map(|place| json!(row.get::<_, i32>(place))).collect()
}

fn refused(error: &Error, rows: &Rows) -> Value {
    let sqlstate = error.code().map_or("", |code| code.code());
    json!({"error": error.to_string(), "sqlstate": sqlstate, "rows": rows})
}

async fn serve() -> Result<(), Box<dyn StdError>> {
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    let mut session = None;
    while let Some(line) = lines.next_line().await? {
        let mut rows = Rows::new();
        let done = match &mut session {
            None => tokio::time::timeout(DEADLINE, Session::open(&line))
                .await?
                .map(|opened| session = Some(opened)),
            Some(session) => {
                let asked: Value = serde_json::from_str(&line)?;
                tokio::time::timeout(DEADLINE, session.carry_out(&asked, &mut rows)).await?
            }
        };
        let answer = match done {
            Ok(()) => json!({"rows": rows}),
            Err(error) => refused(&error, &rows),
        };
        let mut out = std::io::stdout();
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn StdError>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(serve())
}
