// Notes, read in a transaction, with net/http and pgx.
package main

import (
	"context"
	"encoding/json"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

type note struct {
	ID   int64  `json:"id"`
	Text string `json:"text"`
}

var pool *pgxpool.Pool

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(body)
}

func refuse(w http.ResponseWriter, err error) {
	log.Print(err)
	answer(w, http.StatusServiceUnavailable, map[string]string{"detail": "The database is unavailable"})
}

func rollback(ctx context.Context, transaction pgx.Tx) {
	if ctx.Err() != nil {
		return // the caller went away, so there is nothing to save
	}
	transaction.Rollback(ctx)
}

func list(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 900*time.Millisecond)
	defer cancel()
	transaction, err := pool.Begin(ctx)
	if err != nil {
		refuse(w, err)
		return
	}
	defer rollback(ctx, transaction)
	rows, err := transaction.Query(ctx, "select id, text from notes order by id desc limit 10")
	if err != nil {
		refuse(w, err)
		return
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[note])
	if err != nil {
		refuse(w, err)
		return
	}
	answer(w, http.StatusOK, found)
}

func live(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, map[string]string{"status": "pass"})
}

func ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 500*time.Millisecond)
	defer cancel()
	if err := pool.Ping(ctx); err != nil {
		answer(w, http.StatusServiceUnavailable, map[string]string{"status": "fail"})
		return
	}
	answer(w, http.StatusOK, map[string]string{"status": "pass"})
}

func main() {
	settings, err := pgxpool.ParseConfig(os.Getenv("DATABASE_URL"))
	if err != nil {
		log.Fatal(err)
	}
	settings.MaxConns = 5
	settings.ConnConfig.ConnectTimeout = 500 * time.Millisecond
	if pool, err = pgxpool.NewWithConfig(context.Background(), settings); err != nil {
		log.Fatal(err)
	}
	http.HandleFunc("GET /notes", list)
	http.HandleFunc("GET /live", live)
	http.HandleFunc("GET /ready", ready)
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), nil))
}
