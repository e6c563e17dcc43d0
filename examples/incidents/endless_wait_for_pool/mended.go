// Notes, with net/http and lib/pq.
package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"log"
	"net/http"
	"os"
	"time"

	_ "github.com/lib/pq"
)

type note struct {
	ID   int64  `json:"id"`
	Text string `json:"text"`
}

var db *sql.DB

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

func list(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 500*time.Millisecond)
	defer cancel()
	rows, err := db.QueryContext(ctx, "select id, text from notes order by id desc limit 10")
	if err != nil {
		refuse(w, err)
		return
	}
	defer rows.Close()
	found := []note{}
	for rows.Next() {
		var one note
		if err := rows.Scan(&one.ID, &one.Text); err != nil {
			refuse(w, err)
			return
		}
		found = append(found, one)
	}
	if err := rows.Err(); err != nil {
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
	if err := db.PingContext(ctx); err != nil {
		answer(w, http.StatusServiceUnavailable, map[string]string{"status": "fail"})
		return
	}
	answer(w, http.StatusOK, map[string]string{"status": "pass"})
}

func main() {
	var err error
	// A cancel that overtakes its query is lost; the server ends that query.
	if db, err = sql.Open("postgres", os.Getenv("DATABASE_URL")+"&statement_timeout=500"); err != nil {
		log.Fatal(err)
	}
	db.SetMaxOpenConns(5)
	db.SetMaxIdleConns(5)
	http.HandleFunc("GET /notes", list)
	http.HandleFunc("GET /live", live)
	http.HandleFunc("GET /ready", ready)
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), nil))
}
