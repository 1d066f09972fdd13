package builtin

import (
	"context"

	"dolor/feature/genomic"
)

// PgxRequest names one file of genotypes and how to read it.
type PgxRequest = genomic.Request

// Pgx reads one file of genotypes.
func Pgx(ctx context.Context, q *PgxRequest) (*genomic.Report, error) { return genomic.Run(ctx, q) }
