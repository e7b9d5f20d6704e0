// Package sqlite: statements that stay prepared.
//
// The server asks its database for some twenty statements a job, always the same texts. The driver compiles each text anew
// every time, which took a fifth of the server's time. Here they are compiled once a connection.
//
// This file is put into the server's own package of this name before it is built (src/server/patched-server.ts), which then
// asks for the driver of the name below instead of "sqlite".
package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"

	"modernc.org/sqlite"
)

const preparedDriverName = "sqlite-prepared"

// The texts are few; a query with lists of different lengths could make many.
const mostStatements = 512

func init() {
	sql.Register(preparedDriverName, preparedDriver{&sqlite.Driver{}})
}

type preparedDriver struct{ inner *sqlite.Driver }

func (d preparedDriver) Open(name string) (driver.Conn, error) {
	inner, err := d.inner.Open(name)
	if err != nil {
		return nil, err
	}
	full, ok := inner.(fullConn)
	if !ok {
		return nil, errors.New("the SQLite driver lacks what prepared statements need")
	}
	return &preparedConn{fullConn: full, statements: map[string]*statement{}}, nil
}

// fullConn is what database/sql uses of the driver's connection.
type fullConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.Pinger
	driver.QueryerContext
	driver.SessionResetter
	driver.Validator
}

type fullStmt interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

type statement struct {
	fullStmt
	// A result is being read from it: it cannot start again before that is closed.
	inUse bool
}

type preparedConn struct {
	fullConn
	statements map[string]*statement
}

// prepared gives the statement of a text, or nil where it has to be run without one.
func (c *preparedConn) prepared(ctx context.Context, query string) *statement {
	if known, ok := c.statements[query]; ok {
		if known == nil || known.inUse {
			return nil
		}
		return known
	}
	if len(c.statements) >= mostStatements {
		return nil
	}
	made, err := c.PrepareContext(ctx, query)
	if err != nil {
		return nil // run as it is, it tells the same error
	}
	full, ok := made.(fullStmt)
	if !ok {
		_ = made.Close()
		c.statements[query] = nil
		return nil
	}
	known := &statement{fullStmt: full}
	c.statements[query] = known
	return known
}

// A change takes microseconds. To be able to interrupt it, the driver would start a goroutine for each; queries, which can
// be long, stay interruptible.
func unhurried(ctx context.Context) (context.Context, error) {
	return context.WithoutCancel(ctx), ctx.Err()
}

func (c *preparedConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	ctx, err := unhurried(ctx)
	if err != nil {
		return nil, err
	}
	if known := c.prepared(ctx, query); known != nil {
		return known.ExecContext(ctx, args)
	}
	return c.fullConn.ExecContext(ctx, query, args)
}

func (c *preparedConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	known := c.prepared(ctx, query)
	if known == nil {
		return c.fullConn.QueryContext(ctx, query, args)
	}
	rows, err := known.QueryContext(ctx, args)
	if err != nil {
		return nil, err
	}
	known.inUse = true
	return &preparedRows{Rows: rows, of: known}, nil
}

func (c *preparedConn) BeginTx(ctx context.Context, options driver.TxOptions) (driver.Tx, error) {
	ctx, err := unhurried(ctx)
	if err != nil {
		return nil, err
	}
	return c.fullConn.BeginTx(ctx, options)
}

func (c *preparedConn) Close() error {
	for _, known := range c.statements {
		if known != nil {
			_ = known.Close()
		}
	}
	clear(c.statements)
	return c.fullConn.Close()
}

type preparedRows struct {
	driver.Rows
	of     *statement
	closed bool
}

func (r *preparedRows) Close() error {
	if r.closed {
		return nil
	}
	r.closed = true
	r.of.inUse = false
	return r.Rows.Close()
}
