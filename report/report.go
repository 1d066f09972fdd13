// Package report writes a study's results as one self-contained page, and fills the
// TRIPOD+AI checklist from them.
//
// The page needs no network and no script: its one style and one script are named by hash
// in a content security policy, it has no style attribute, and every figure stands beside
// its numbers. All text from data is escaped.
package report

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // style, script and template of the page
	"encoding/base64"
	"html/template"
	"io"

	"dolor/assess"
	"dolor/diag"
)

// Input is what a report is written from.
type Input struct {
	Results  *assess.Results
	Protocol []byte  // as run: JSON or YAML text
	Tripod   *Tripod // nil: filled from Results and Protocol
	Version  string  // of dolor, "" when unknown
}

//go:embed page.css
var pageCSS string

//go:embed page.js
var pageJS string

//go:embed page.tmpl
var pageTemplate string

// HTML writes the page. It fails when Results is nil or w cannot be written, never because a
// number is missing: what is absent is written as not estimated, with the reason known.
func HTML(w io.Writer, in *Input) error {
	if in == nil || in.Results == nil {
		return &diag.Error{Kind: diag.Invalid, Op: "report.HTML", Field: "results", Msg: "expected the results of a study, got none"}
	}
	t, err := template.New("page").Parse(pageTemplate)
	if err != nil {
		return &diag.Error{Kind: diag.Internal, Op: "report.HTML", Err: err}
	}
	var body bytes.Buffer
	if err := t.Execute(&body, newPage(in)); err != nil {
		return &diag.Error{Kind: diag.Internal, Op: "report.HTML", Err: err}
	}
	title := template.HTMLEscapeString(in.Results.Study)
	var head bytes.Buffer
	head.WriteString("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">" +
		`<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src '` + hash(pageCSS) + `'; script-src '` + hash(pageJS) + `'; base-uri 'none'; form-action 'none'">` +
		`<meta name="viewport" content="width=device-width,initial-scale=1"><title>` + title + `: study report</title><style>` + pageCSS + "</style></head>\n")
	for _, part := range [][]byte{head.Bytes(), body.Bytes(), []byte("<script>" + pageJS + "</script></body></html>\n")} {
		if _, err := w.Write(part); err != nil {
			return &diag.Error{Kind: diag.KindOf(err), Op: "report.HTML", Msg: "the page cannot be written", Err: err}
		}
	}
	return nil
}

func hash(s string) string {
	h := sha256.Sum256([]byte(s))
	return "sha256-" + base64.StdEncoding.EncodeToString(h[:])
}
