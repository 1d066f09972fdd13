//go:build !linux

package cli_test

const canLimit = false

func limitFileSize() {}
