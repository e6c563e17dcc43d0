// Orders, with net/http and pgx.
package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"log"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/signal"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// All steps of a request end by then; callers are promised an answer within a second.
const deadline = 900 * time.Millisecond

const schema = `
	create table if not exists orders (
		id bigint generated always as identity primary key,
		customer varchar(80) not null,
		key varchar(80) unique)`

type order struct {
	ID       int64  `json:"id"`
	Customer string `json:"customer"`
}

type shop struct {
	pool    *pgxpool.Pool
	probes  *pgxpool.Pool
	places  chan struct{}
	retries budget
}

// A refusal that is the caller's own doing.
type invalid struct{ title string }

func (one invalid) Error() string { return one.title }

// COMMIT was sent, and its reply never came.
type undetermined struct{ cause error }

func (one undetermined) Error() string { return "undetermined: " + one.cause.Error() }
func (one undetermined) Unwrap() error { return one.cause }

var errBusy = errors.New("too many requests wait for the database")

// A transaction that met another one is tried again, within a budget: each request earns a tenth
// of a retry.
type budget struct {
	sync.Mutex
	saved float64
}

func (one *budget) earn() {
	one.Lock()
	defer one.Unlock()
	one.saved = min(5, one.saved+0.1)
}

func (one *budget) spend() bool {
	one.Lock()
	defer one.Unlock()
	if one.saved < 1 {
		return false
	}
	one.saved--
	return true
}

func sqlstate(err error) string {
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		return refused.Code
	}
	return ""
}

// leased lends a connection for the work, and drops it where the server has been demoted.
func (s *shop) leased(ctx context.Context, work func(*pgxpool.Conn) error) error {
	select {
	case s.places <- struct{}{}:
		defer func() { <-s.places }()
	default:
		return errBusy
	}
	waiting, cancel := context.WithTimeout(ctx, 400*time.Millisecond)
	connection, err := s.pool.Acquire(waiting)
	cancel()
	if err != nil {
		return err
	}
	defer connection.Release()
	err = work(connection)
	if sqlstate(err) == "25006" {
		connection.Conn().Close(ctx)
	}
	return err
}

func (s *shop) retried(ctx context.Context, work func(*pgxpool.Conn) error) error {
	s.retries.earn()
	for attempt := 1; ; attempt++ {
		err := s.leased(ctx, work)
		state := sqlstate(err)
		if (state != "40001" && state != "40P01") || attempt == 3 || !s.retries.spend() {
			return err
		}
		pause := time.Duration(float64(int(10)<<attempt) * (1 + mathrand.Float64()) * float64(time.Millisecond))
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return err
		}
	}
}

// -- errors ---------------------------------------------------------------------------------------

var traceparent = regexp.MustCompile(`^00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$`)

func problem(w http.ResponseWriter, r *http.Request, status int, title string, cause error) {
	trace := make([]byte, 16)
	rand.Read(trace)
	id := hex.EncodeToString(trace)
	if sent := traceparent.FindStringSubmatch(r.Header.Get("traceparent")); sent != nil {
		id = sent[1]
	}
	log.Printf("ERROR %s %s %s: %d, %s %v", id, r.Method, r.URL.Path, status, sqlstate(cause), cause)
	w.Header().Set("Content-Type", "application/problem+json")
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(map[string]any{
		"type": "about:blank", "title": title, "status": status, "trace_id": id,
	})
}

func refuse(w http.ResponseWriter, r *http.Request, err error) {
	state := sqlstate(err)
	var wrong invalid
	var unknown undetermined
	var broken net.Error
	switch {
	case errors.As(err, &wrong):
		problem(w, r, http.StatusUnprocessableEntity, wrong.title, err)
	case errors.As(err, &unknown):
		problem(w, r, http.StatusGatewayTimeout, "It is not known whether the order was placed", err)
	case state == "23505":
		problem(w, r, http.StatusConflict, "There is such an order already", err)
	case strings.HasPrefix(state, "22"):
		problem(w, r, http.StatusUnprocessableEntity, "The request is invalid", err)
	case state != "" || errors.As(err, &broken) || errors.Is(err, errBusy) ||
		errors.Is(err, context.DeadlineExceeded) || pgconn.Timeout(err) || isConnection(err):
		problem(w, r, http.StatusServiceUnavailable, "The database is unavailable", err)
	default:
		problem(w, r, http.StatusInternalServerError, "Internal error", err)
	}
}

func isConnection(err error) bool {
	var connecting *pgconn.ConnectError
	return errors.As(err, &connecting) || strings.Contains(err.Error(), "conn closed") ||
		strings.Contains(err.Error(), "unexpected EOF") || strings.Contains(err.Error(), "EOF")
}

func answer(w http.ResponseWriter, status int, mediaType string, body any) {
	w.Header().Set("Content-Type", mediaType)
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(body)
}

// -- routes ---------------------------------------------------------------------------------------

func (s *shop) list(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), deadline)
	defer cancel()
	var orders []order
	err := s.retried(ctx, func(connection *pgxpool.Conn) error {
		rows, err := connection.Query(ctx, "select id, customer from orders order by id desc limit 10")
		if err != nil {
			return err
		}
		orders, err = pgx.CollectRows(rows, pgx.RowToStructByPos[order])
		return err
	})
	if err != nil {
		refuse(w, r, err)
		return
	}
	answer(w, http.StatusOK, "application/json", orders)
}

func (s *shop) place(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), deadline)
	defer cancel()
	var sent struct {
		Customer *string `json:"customer"`
	}
	if err := json.NewDecoder(r.Body).Decode(&sent); err != nil || sent.Customer == nil || len(*sent.Customer) > 80 {
		refuse(w, r, invalid{"The request is invalid"})
		return
	}
	key := r.Header.Get("Idempotency-Key")
	placed := order{Customer: *sent.Customer}
	err := s.retried(ctx, func(connection *pgxpool.Conn) error {
		transaction, err := connection.Begin(ctx)
		if err != nil {
			return err
		}
		defer transaction.Rollback(ctx)
		if key != "" {
			var known order
			err = transaction.QueryRow(ctx, "select id, customer from orders where key = $1", key).Scan(&known.ID, &known.Customer)
			if err == nil && known.Customer != placed.Customer {
				return invalid{"The key belongs to another order"}
			}
			if err == nil {
				placed = known
				return nil
			}
			if !errors.Is(err, pgx.ErrNoRows) {
				return err
			}
		}
		var stored any
		if key != "" {
			stored = key
		}
		err = transaction.QueryRow(ctx, "insert into orders (customer, key) values ($1, $2) returning id", placed.Customer, stored).Scan(&placed.ID)
		if err != nil {
			return err
		}
		err = transaction.Commit(ctx)
		if state := sqlstate(err); err != nil && !strings.HasPrefix(state, "23") && !strings.HasPrefix(state, "40") {
			return undetermined{err}
		}
		return err
	})
	if err != nil {
		refuse(w, r, err)
		return
	}
	answer(w, http.StatusCreated, "application/json", placed)
}

func (s *shop) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 500*time.Millisecond)
	defer cancel()
	if _, err := s.probes.Exec(ctx, "select 1"); err != nil {
		log.Printf("WARNING not ready: %v", err)
		answer(w, http.StatusServiceUnavailable, "application/health+json", map[string]any{
			"status": "fail", "checks": map[string]any{"database": []any{map[string]string{"status": "fail"}}},
		})
		return
	}
	answer(w, http.StatusOK, "application/health+json", map[string]string{"status": "pass"})
}

func pool(connections int32) *pgxpool.Pool {
	settings, err := pgxpool.ParseConfig(os.Getenv("DATABASE_URL"))
	if err != nil {
		log.Fatal(err)
	}
	settings.MaxConns = connections
	settings.ConnConfig.ConnectTimeout = 500 * time.Millisecond
	settings.ConnConfig.RuntimeParams["statement_timeout"] = "800"
	settings.ConnConfig.RuntimeParams["idle_in_transaction_session_timeout"] = "1000"
	made, err := pgxpool.NewWithConfig(context.Background(), settings)
	if err != nil {
		log.Fatal(err)
	}
	return made
}

func main() {
	s := &shop{pool: pool(5), probes: pool(1), places: make(chan struct{}, 50)}
	if len(os.Args) > 1 && os.Args[1] == "migrate" {
		if _, err := s.pool.Exec(context.Background(), schema); err != nil {
			log.Fatal(err)
		}
		return
	}
	routes := http.NewServeMux()
	routes.HandleFunc("/orders", func(w http.ResponseWriter, r *http.Request) {
		switch r.Method {
		case http.MethodGet:
			s.list(w, r)
		case http.MethodPost:
			s.place(w, r)
		default:
			w.Header().Set("Allow", "GET, POST")
			problem(w, r, http.StatusMethodNotAllowed, "Method not allowed", errors.New("method"))
		}
	})
	routes.HandleFunc("GET /shipping", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, "application/json", map[string]int{"cents": 490})
	})
	routes.HandleFunc("GET /live", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, "application/json", map[string]string{"status": "pass"})
	})
	routes.HandleFunc("GET /ready", s.ready)
	routes.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		problem(w, r, http.StatusNotFound, "Not found", errors.New("path"))
	})
	server := &http.Server{Addr: "127.0.0.1:" + os.Getenv("PORT"), Handler: routes}
	stopping, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	ended := make(chan struct{})
	go func() {
		<-stopping.Done()
		ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
		defer cancel()
		server.Shutdown(ctx)
		close(ended)
	}()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		log.Fatal(err)
	}
	<-ended
}
