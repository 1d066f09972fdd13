package cli_test

import (
	"os"
	"os/signal"
	"strconv"
	"syscall"
)

const canLimit = true

// limitFileSize lets writes past a size fail, as they do when the disk is full.
func limitFileSize() {
	n, err := strconv.ParseUint(os.Getenv(fileSizeVar), 10, 64)
	if err != nil || n == 0 {
		return
	}
	signal.Ignore(syscall.SIGXFSZ)
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: n, Max: n}); err != nil {
		panic(err)
	}
}
