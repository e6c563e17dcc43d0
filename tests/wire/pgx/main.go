// Command pgx runs SQL through the driver pgx, as told by lines of JSON.
//
// The first line is the DSN. Each further one is a request {"sql": "...", "args": [...]} and is
// answered by one line: {"rows": [[...]]} or {"error": "...", "sqlstate": "..."}, the latter empty
// where the server has not said anything. The program ends with its input.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

const deadline = 10 * time.Second

type request struct {
	SQL  string  `json:"sql"`
	Args []int32 `json:"args"`
}

type answer struct {
	Rows     [][]any `json:"rows"`
	Error    string  `json:"error,omitempty"`
	SQLState string  `json:"sqlstate,omitempty"`
}

func refused(err error) answer {
	var told *pgconn.PgError
	if errors.As(err, &told) {
		return answer{Error: err.Error(), SQLState: told.Code}
	}
	return answer{Error: err.Error()}
}

// Without arguments it is a simple query, with them a prepared statement.
func run(ctx context.Context, connection *pgx.Conn, asked request) answer {
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	if len(asked.Args) == 0 {
		if _, err := connection.Exec(ctx, asked.SQL); err != nil {
			return refused(err)
		}
		return answer{Rows: [][]any{}}
	}
	args := make([]any, len(asked.Args))
	for place, value := range asked.Args {
		args[place] = value
	}
	rows, err := connection.Query(ctx, asked.SQL, args...)
	if err != nil {
		return refused(err)
	}
	found := [][]any{}
	for rows.Next() {
		values, err := rows.Values()
		if err != nil {
			return refused(err)
		}
		found = append(found, values)
	}
	if err := rows.Err(); err != nil {
		return refused(err)
	}
	return answer{Rows: found}
}

func serve() error {
	lines := bufio.NewScanner(os.Stdin)
	answers := json.NewEncoder(os.Stdout)
	ctx := context.Background()
	if !lines.Scan() {
		return errors.New("the first line has to be a DSN")
	}
	opening, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	connection, err := pgx.Connect(opening, lines.Text())
	if err != nil {
		return answers.Encode(refused(err))
	}
	defer connection.Close(ctx)
	if err := answers.Encode(answer{Rows: [][]any{}}); err != nil {
		return err
	}
	for lines.Scan() {
		var asked request
		if err := json.Unmarshal(lines.Bytes(), &asked); err != nil {
			return err
		}
		if err := answers.Encode(run(ctx, connection, asked)); err != nil {
			return err
		}
	}
	return lines.Err()
}

func main() {
	if err := serve(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
