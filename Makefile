# Storefront. `make help` lists the targets; the first one that a new clone needs is `make up`.
SHELL := /bin/bash
.DEFAULT_GOAL := help

STACK ?= lab
PROFILE ?= prod
GO_BUILD := CGO_ENABLED=0 go build -trimpath -buildvcs=false
stack = bin/stack -stack $(STACK)
# A stack that is named goes before the profile: its settings file has the stack's name.
chosen = $(if $(filter-out file,$(origin STACK)),$(STACK),$(PROFILE))

.PHONY: help
help: ## list the targets
	@awk -F':.*## ' '/^[a-z0-9-]+:.*## / {printf "  %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: up
up: tools build ## start the lab, deploy the stack and print the shop's URL (STACK=dev|prod deploys to AWS)
	@$(stack) up

.PHONY: preview
preview: tools build ## show what `make up` would change
	@$(stack) preview

.PHONY: drift
drift: tools build ## report what changed outside Pulumi, and fail when something did
	@$(stack) $(if $(JSON),-json) drift

.PHONY: restore-drill
restore-drill: build ## restore the backups of both stores into new ones, and compare
	@$(stack) drill

.PHONY: url
url: build ## print the shop's URL alone
	@$(stack) url

.PHONY: down
down: build ## destroy the stack, end the lab, leave nothing behind
	@$(stack) down

.PHONY: tools
tools: ## install what is missing: Pulumi, its plugins, the lab's system packages
	@go run -C toolchain ./cmd/tools
	@if [ "$(STACK)" = lab ]; then go run -C toolchain ./cmd/tools packages; fi

.PHONY: build
build: ## build the project's own programs into bin/
	@mkdir -p bin
	@$(GO_BUILD) -o bin/ ./lab/cmd/lab ./services/shop/cmd/shopd ./stacks/cmd/stack

.PHONY: lab-up
lab-up: build ## start the lab alone
	@bin/lab up

.PHONY: lab-down
lab-down: build ## stop the lab and keep its state
	@bin/lab down

.PHONY: test
test: tools build ## every test: units with -race, the plugin's conformance, end to end
	@./.ci/test

.PHONY: e2e
e2e: tools build ## the end-to-end suite alone
	go test -count=1 -timeout 40m -v ./test/...

.PHONY: bench
bench: tools build ## measure, and write docs/benchmarks.md
	go run ./test/bench

.PHONY: check
check: ## the security scoreboard, without AWS (PROFILE=prod|dev; FILE= an exported state or a preview)
	@mkdir -p bin && $(GO_BUILD) -o bin/ ./policy/cmd/check
	@bin/check -profile $(PROFILE) $(if $(JSON),-json) $(FILE)

.PHONY: cost
cost: ## what a stack costs a month, without AWS (STACK= or PROFILE=; FILE=, BASE= states or previews; ASSUME="requests=60")
	@mkdir -p bin && $(GO_BUILD) -o bin/ ./cost/cmd/cost
	@bin/cost -profile $(chosen) $(if $(JSON),-json) $(if $(MARKDOWN),-markdown) $(if $(BASE),-base $(BASE)) $(if $(USAGE),-usage $(USAGE)) $(ASSUME:%=-assume %) $(FILE)

.PHONY: lint
lint: ## formatting, vet, generated code, import rules
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { echo "gofmt these:"; gofmt -l $$(git ls-files '*.go'); exit 1; }
	go vet ./...
	go run -C lab/internal/generate . -check
	GOOS=darwin go vet ./lab/cmd/lab ./services/...
	@go mod tidy -diff
	go test ./test/rules
