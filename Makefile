# dolor: targets for people and for CI. `make help` lists them.
export CGO_ENABLED = 0
GO ?= go
VERSION ?= 0.1.0
LDFLAGS = -s -w -X dolor/internal/cli.Version=$(VERSION)
GOLANGCI_VERSION = v2.15.0

.DEFAULT_GOAL := check
.PHONY: help build demo test test-long race lint fmt fuzz bench coverage cross bytes tidy check

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

build: ## bin/dolor, one static binary
	$(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/dolor ./cmd/dolor

demo: build ## three hospitals: nested cross-validation inside, leave-one-hospital-out outside
	./bin/dolor study run examples/heart/study.yaml --out runs/heart

test: ## all tests, under two minutes
	$(GO) test -shuffle=on ./...

test-long: ## the long tests too: 200 permutations through the whole study
	$(GO) test -tags long -timeout 60m ./...

race: ## race detector on the concurrent rooms
	CGO_ENABLED=1 $(GO) test -race ./internal/par ./evaluate ./assess ./frame
	CGO_ENABLED=1 $(GO) test -race -run "Cancel" ./study

fmt: ## format
	$(GO) run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION) fmt

lint: ## go vet and golangci-lint
	$(GO) vet ./...
	$(GO) run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION) run

cross: ## build for the other systems
	GOOS=linux GOARCH=arm64 $(GO) build -o /dev/null ./cmd/dolor
	GOOS=darwin GOARCH=arm64 $(GO) build -o /dev/null ./cmd/dolor
	GOOS=windows GOARCH=amd64 $(GO) build -o /dev/null ./cmd/dolor

bytes: build ## the demo with one and with two workers gives the same bytes
	./bin/dolor study run examples/heart/study.yaml --out runs/bytes-1 --workers 1 >/dev/null 2>&1
	./bin/dolor study run examples/heart/study.yaml --out runs/bytes-2 --workers 2 >/dev/null 2>&1
	diff -r runs/bytes-1 runs/bytes-2 && echo "the same bytes with 1 and 2 workers"

fuzz: ## every parser for FUZZTIME each (default 60s)
	@for pair in $$(grep -rhoE 'func (Fuzz[A-Za-z]+)' --include=*_test.go . | sed 's/func //' | sort -u); do \
	  for dir in $$(grep -rlE "func $$pair\(" --include=*_test.go . | xargs -n1 dirname); do \
	    echo "$$dir $$pair"; $(GO) test -run '^$$' -fuzz "^$$pair$$" -fuzztime $${FUZZTIME:-60s} $$dir || exit 1; done; done

bench: build ## speed beside the peers (needs R with glmnet and pROC; Python with pandas and polars)
	bash bench/run.sh

coverage: ## coverage of the intervals by simulation, written to docs/coverage.md
	$(GO) run ./bench/coverage

tidy: ## go.mod is tidy
	$(GO) mod tidy -diff

check: test lint race cross tidy demo bytes ## everything CI runs
