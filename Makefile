# windtunnel: a wind tunnel for Kubernetes control planes. `make` alone lists the targets.
SHELL := /bin/bash -o pipefail
.DEFAULT_GOAL := help

# One setting everywhere: switching it makes Go compile the whole of Kubernetes a second time.
export CGO_ENABLED ?= 0
COMMIT       := $(shell git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)
KUBE_LDFLAGS := -s -w
LDFLAGS      := -s -w -X windtunnel/internal/cli.commit=$(COMMIT)
RUN_FLAGS    ?=

# Packages that link Kubernetes components are tested without the race detector: building them twice takes 10 minutes.
KUBE_PACKAGES := $(addprefix windtunnel/,cmd/windtunnel-kube internal/kube hollow/kubelet hollow/proxy hollow/shard)
export WINDTUNNEL_KUBE := $(CURDIR)/bin/windtunnel-kube
export WINDTUNNEL      := $(CURDIR)/bin/windtunnel

.PHONY: help
help: ## list the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  \033[1m%-14s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: ## build bin/windtunnel and bin/windtunnel-kube (the first time about 9 minutes on 2 cores, then seconds)
	@.ci/build windtunnel "$(LDFLAGS)"
	@.ci/build windtunnel-kube "$(KUBE_LDFLAGS)"

.PHONY: density
density: build ## the first experiment: 100 hollow nodes, 3 000 pods, and whether the Kubernetes SLOs held
	bin/windtunnel run density $(RUN_FLAGS)

.PHONY: smoke
smoke: build ## the shortest whole run, in seconds
	bin/windtunnel run smoke $(RUN_FLAGS)

# What boots nothing is tested first and by itself: its simulations would disturb the tests that measure time. They are long, and
# ten times as long under the race detector, which therefore leaves them out (-short).
PURE := ./analysis/... ./profiles/... ./results/... ./internal/cli/... ./internal/architecture
REAL = $$(go list ./harness/... ./hollow/... ./manifests/... ./internal/e2e ./cmd/... | grep -vxF -f <(printf '%s\n' $(KUBE_PACKAGES)))

.PHONY: test
test: build ## all tests, on a real control plane; race detector on where no Kubernetes component is linked
	go test -timeout 10m $(PURE) $(KUBE_PACKAGES)
	CGO_ENABLED=1 go test -race -short -timeout 10m $(PURE)
	WINDTUNNEL_KIND=later CGO_ENABLED=1 go test -race -timeout 40m -parallel 4 $(REAL)
	@$(MAKE) --no-print-directory test-kind

# A kind cluster takes the machine: these run one after another, and after the rest.
KIND := ./harness/kind ./harness/nodepods ./manifests/nodeimage
KIND_TEST := CGO_ENABLED=1 go test -race -p 1 -count=1

.PHONY: test-kind
test-kind: build ## the tests that make kind clusters: they need Docker or Podman and make node-image, and say loudly when they are skipped
	@said=$$($(KIND_TEST) -v -run '^TestKindCanBeTested$$' ./harness/kind) || { echo "$$said"; exit 1; }; \
	if grep -q 'KIND WAS NOT TESTED' <<<"$$said"; then \
		printf '\n%s\n' '!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!'; \
		grep -o 'KIND WAS NOT TESTED.*' <<<"$$said"; \
		printf '%s\n\n' '!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!'; \
	else \
		$(KIND_TEST) -timeout 20m $(KIND) && $(KIND_TEST) -timeout 20m -run '^TestKind' ./internal/e2e; \
	fi

.PHONY: test-long
test-long: build ## the tests that make many runs, minutes each
	WINDTUNNEL_LONG=1 go test -timeout 20m -run 'TestSlowedServer|TestCapacity' ./internal/e2e

.PHONY: lint
lint: ## gofmt, vet, staticcheck, and the architecture's own rules
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { echo "gofmt would change:"; gofmt -l $$(git ls-files '*.go'); exit 1; }
	go vet ./...
	go tool staticcheck ./...
	go test ./internal/architecture

.PHONY: generate
generate: ## write the documents that are made from code (field reference, record tables, summary schema)
	go generate ./...
	go test ./results -update

SECTIONS ?=
.PHONY: bench
bench: build ## measure what docs/performance.md states, or of it SECTIONS="light-nodes kwok" (.ci/bench names them all)
	.ci/bench $(SECTIONS)

.PHONY: node-image
node-image: ## a kind node image from Debian packages and Go modules, for places that reach no image registry (needs root and Docker)
	manifests/nodeimage/build windtunnel/node

.PHONY: hollow-image
hollow-image: build ## bin/hollow-node.tar, the image of hollow nodes as pods (kind load image-archive, docker load)
	bin/windtunnel image -o bin/hollow-node.tar

.PHONY: reference
reference: build ## make the runs in results/reference anew: on the machine that compares with them, 5 minutes, and nothing else running
	.ci/reference

.PHONY: regression
regression: build ## make 8 runs of smoke and compare them with results/reference (5 minutes; exit code 7 for a regression)
	.ci/regression

RUNS ?=
.PHONY: paper
paper: ## write docs/paper about a density and a load run: new ones, or given ones as RUNS="DENSITY LOAD"
	$(if $(RUNS),@.ci/build windtunnel "$(LDFLAGS)",@$(MAKE) build)
	.ci/paper $(RUNS)

FUZZ_TIME ?= 60s
.PHONY: fuzz
fuzz: ## give every reader of files anything, FUZZ_TIME each (60s)
	@for p in results analysis analysis/export analysis/fidelity profiles/cl2 hollow/stages; do \
		for f in $$(grep -ho 'func Fuzz[A-Za-z]*' $$p/*_test.go | cut -c6-); do \
			go test ./$$p -run "^$$f$$" -fuzz "^$$f$$" -fuzztime $(FUZZ_TIME) -fuzzminimizetime 10x || exit 1; \
		done; \
	done

.PHONY: clean
clean: ## remove what was built; results/runs stays
	rm -rf bin
