// Command pgx runs SQL through the driver pgx, as told by lines of JSON; see tests/wire/program.py.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

const deadline = 10 * time.Second

type request struct {
	Do   string  `json:"do"`
	SQL  string  `json:"sql"`
	Args []int32 `json:"args"`
	Data string  `json:"data"`
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

func done(connection *pgx.Conn, asked request) (rows [][]any, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	switch asked.Do {
	case "run":
		return run(ctx, connection, asked)
	case "batch":
		batch := &pgx.Batch{}
		for _, value := range asked.Args {
			batch.Queue(asked.SQL, value)
		}
		return nil, connection.SendBatch(ctx, batch).Close()
	case "copy in":
		_, err := connection.PgConn().CopyFrom(ctx, strings.NewReader(asked.Data), asked.SQL)
		return nil, err
	case "copy out":
		var data bytes.Buffer
		_, err := connection.PgConn().CopyTo(ctx, &data, asked.SQL)
		return [][]any{{data.String()}}, err
	case "listen":
		_, err := connection.Exec(ctx, "listen "+pgx.Identifier{asked.SQL}.Sanitize())
		return nil, err
	case "notified":
		told, err := connection.WaitForNotification(ctx)
		if err != nil {
			return nil, err
		}
		return [][]any{{told.Payload}}, nil
	}
	return nil, fmt.Errorf("pgx cannot %q", asked.Do)
}

// Without arguments it is a simple query, with them a prepared statement.
func run(ctx context.Context, connection *pgx.Conn, asked request) ([][]any, error) {
	if len(asked.Args) == 0 {
		_, err := connection.Exec(ctx, asked.SQL)
		return nil, err
	}
	args := make([]any, len(asked.Args))
	for place, value := range asked.Args {
		args[place] = value
	}
	rows, err := connection.Query(ctx, asked.SQL, args...)
	if err != nil {
		return nil, err
	}
	var found [][]any
	for rows.Next() {
		values, err := rows.Values()
		if err != nil {
			return nil, err
		}
		found = append(found, values)
	}
	return found, rows.Err()
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
	if err := answers.Encode(answer{}); err != nil {
		return err
	}
	for lines.Scan() {
		var asked request
		if err := json.Unmarshal(lines.Bytes(), &asked); err != nil {
			return err
		}
		rows, err := done(connection, asked)
		told := answer{Rows: rows}
		if err != nil {
			told = refused(err)
		}
		if err := answers.Encode(told); err != nil {
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
