// Notes, with net/http and pgx.
package main

import (
	"context"
	"encoding/json"
	"log"
	"net/http"
	"os"
	"time"

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

func save(ctx context.Context, one *note) error {
	transaction, err := pool.Begin(ctx)
	if err != nil {
		return err
	}
	defer transaction.Rollback(ctx)
	err = transaction.QueryRow(ctx, "insert into notes (text) values ($1) returning id", one.Text).Scan(&one.ID)
	if err != nil {
		return err
	}
	return transaction.Commit(ctx)
}

func add(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 2500*time.Millisecond)
	defer cancel()
	var one note
	if err := json.NewDecoder(r.Body).Decode(&one); err != nil {
		answer(w, http.StatusUnprocessableEntity, map[string]string{"detail": "The body is not a note"})
		return
	}
	err := save(ctx, &one)
	for attempt := 1; err != nil && attempt < 3; attempt++ {
		err = save(ctx, &one)
	}
	if err != nil {
		refuse(w, err)
		return
	}
	answer(w, http.StatusCreated, one)
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
	http.HandleFunc("POST /notes", add)
	http.HandleFunc("GET /live", live)
	http.HandleFunc("GET /ready", ready)
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), nil))
}
