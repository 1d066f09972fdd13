package cli

import (
	"github.com/spf13/cobra"

	"dolor/internal/builtin"
)

func (a *app) pgx() *cobra.Command {
	var q builtin.PgxRequest
	c := &cobra.Command{
		Use: "pgx FILE", Short: "OPRM1, COMT and CYP2D6 of a VCF file or a table of star alleles", Args: cobra.ExactArgs(1),
		Long: `Reads a VCF file (plain, gzip or bgzip, many samples, GRCh37 or GRCh38), or a table of star
alleles (CSV with the columns sample, gene, diplotype or phenotype), and prints the copies of
OPRM1 G and COMT Met, and the CYP2D6 diplotype with activity score and phenotype.

A position without a record is unknown, not reference, unless a reference block or
--called-sites covers it; then every diplotype that remains is listed. Small variants do not
show copies: *5, duplications and hybrids need --copies or records of copies.

The answer is context for a reader. It recommends nothing: no guideline acts on OPRM1 or COMT.

  dolor pgx patients.vcf.gz
  dolor pgx panel.vcf --build GRCh37 --called-sites panel.bed --copies copies.csv --json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			q.File = args[0]
			r, err := builtin.Pgx(cmd.Context(), &q)
			if err != nil {
				return err
			}
			if a.json {
				return a.answer(r)
			}
			return r.WriteText(a.env.Out)
		},
	}
	f := c.Flags()
	f.StringVar(&q.Build, "build", "", "genome build, GRCh37 or GRCh38, of a file that does not say it")
	f.StringVar(&q.CopiesFile, "copies", "", "CSV file of sample and copies of CYP2D6, 0 to 4")
	f.StringVar(&q.SitesFile, "called-sites", "", "BED file of the positions that the assay calls; without a record they are reference")
	f.StringSliceVar(&q.Alleles, "alleles", nil, "the only CYP2D6 alleles that the assay can see, e.g. '*1,*2,*4' (default: all of the table)")
	f.IntVar(&q.MinDepth, "min-depth", 0, "reads that a genotype needs where the file gives them")
	f.Float64Var(&q.MinQuality, "min-quality", 0, "genotype quality that is needed where the file gives it")
	f.BoolVar(&q.AnyFilter, "any-filter", false, "use records that failed a filter as well")
	f.Float64Var(&q.BadShare, "bad-share", 0.05, "share of bad records that stops the run")
	return c
}
