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
up: tools build ## start the lab, deploy the stack and print the shop's URL (STACK=dev|prod deploys to AWS; REFRESH=1 repairs drift)
	@$(stack) $(if $(REFRESH),-refresh) $(if $(TRACE),-trace $(TRACE)) up

.PHONY: preview
preview: tools build ## show what `make up` would change (JSON=1, MARKDOWN=1)
	@$(stack) $(if $(JSON),-json) $(if $(MARKDOWN),-markdown) preview

.PHONY: drift
drift: tools build ## report what changed outside Pulumi, and fail when something did (JSON=1, MARKDOWN=1)
	@$(stack) $(if $(JSON),-json) $(if $(MARKDOWN),-markdown) drift

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
build: ## build the project's own programs into bin/ (VERSION= is shown in the shop's answers)
	@mkdir -p bin
	@$(GO_BUILD) $(if $(VERSION),-ldflags "-X main.version=$(VERSION)") -o bin/ ./lab/cmd/lab ./services/shop/cmd/shopd ./stacks/cmd/stack

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

.PHONY: conformance
conformance: tools ## every operation and resource type of the lab, with real clients
	go test -count=1 -timeout 15m -v ./test/conformance

.PHONY: bench
bench: tools build ## measure, and write docs/benchmarks.md
	go run ./test/bench

.PHONY: soak
soak: tools build ## deploy and destroy a small stack a hundred times, and write what the lab holds after it to docs/benchmarks.md
	go run ./test/bench -soak

.PHONY: check
check: ## the security scoreboard, without AWS (PROFILE=prod|dev; FILE= an exported state or a preview)
	@mkdir -p bin && $(GO_BUILD) -o bin/ ./policy/cmd/check
	@bin/check -profile $(PROFILE) $(if $(JSON),-json) $(FILE)

.PHONY: cost
cost: ## what a stack costs a month, without AWS (STACK= or PROFILE=; FILE=, BASE= states or previews; ASSUME="requests=60")
	@mkdir -p bin && $(GO_BUILD) -o bin/ ./cost/cmd/cost
	@bin/cost -profile $(chosen) $(if $(JSON),-json) $(if $(MARKDOWN),-markdown) $(if $(BASE),-base $(BASE)) $(if $(USAGE),-usage $(USAGE)) $(ASSUME:%=-assume %) $(FILE)

.PHONY: diagram
diagram: ## draw a stack as SVG (STACK= as it is deployed, PROFILE= as it is declared, FILE= a state or a preview; OUT=)
	@mkdir -p bin && $(GO_BUILD) -o bin/ ./diagram/cmd/diagram
	@bin/diagram $(if $(filter-out file,$(origin PROFILE)),-declared -stack $(PROFILE),-stack $(STACK)) -out $(or $(OUT),bin/diagram.svg) $(FILE)

.PHONY: lint
lint: ## formatting, vet, generated code, import rules
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { echo "gofmt these:"; gofmt -l $$(git ls-files '*.go'); exit 1; }
	go vet ./...
	go run -C lab/internal/generate . -check
	GOOS=darwin go vet ./lab/cmd/lab ./services/...
	@go mod tidy -diff
	go test ./test/rules

# The jobs of continuous integration (docs/ci.md): files in CI_OUT. Texts come by the environment, so that no shell reads them as commands.
CI_OUT ?= ci-report
CI_PLAN ?=
export CI_NOTE CI_NUMBER

.PHONY: ci-preview
ci-preview: tools build $(if $(filter lab,$(STACK)),,certificates/rds.pem) ## CI: report.md, preview.json, cost.md and checks.json about what `make up` would change (CI_PLAN= keeps the plan)
	@mkdir -p $(CI_OUT) $(if $(CI_PLAN),$(dir $(CI_PLAN)))
	@$(GO_BUILD) -o bin/ ./policy/cmd/check ./cost/cmd/cost ./ci/cmd/ci
	@bin/ci preview -stack $(STACK) -out $(CI_OUT) -plan '$(CI_PLAN)' -note "$$CI_NOTE"

.PHONY: ci-drift
ci-drift: tools build ## CI: report.md and drift.json about what changed outside Pulumi; fails only when that cannot be told
	@$(GO_BUILD) -o bin/ ./ci/cmd/ci
	@bin/ci drift -stack $(STACK) -out $(CI_OUT) -note "$$CI_NOTE"

.PHONY: ci-deploy
ci-deploy: tools build $(if $(filter lab,$(STACK)),,certificates/rds.pem) ## CI: deploy the plan in CI_PLAN and nothing else
	@test -n '$(CI_PLAN)' || { echo 'ci-deploy: CI_PLAN= names the plan that ci-preview kept' >&2; exit 2; }
	@$(stack) -plan '$(CI_PLAN)' up

.PHONY: ci-units
ci-units: tools build ## CI: lint and every test but the end-to-end suite, those of the committed diagrams, costs and docs among them; units.log
	@mkdir -p $(CI_OUT)
	set -o pipefail; ./.ci/test units 2>&1 | tee $(CI_OUT)/units.log

.PHONY: ci-e2e
ci-e2e: tools build ## CI: the end-to-end suite in the lab; e2e.log
	@mkdir -p $(CI_OUT)
	set -o pipefail; go test -count=1 -timeout 60m -v ./test/e2e/... 2>&1 | tee $(CI_OUT)/e2e.log

.PHONY: ci-comment
ci-comment: ## CI: post report.md on the pull request CI_NUMBER of GitHub, once
	@mkdir -p bin && $(GO_BUILD) -o bin/ ./ci/cmd/ci
	@bin/ci comment -out $(CI_OUT) -number "$$CI_NUMBER"

.PHONY: ci-issue
ci-issue: ## CI: keep one issue of GitHub as drift.json says: open, up to date or closed
	@mkdir -p bin && $(GO_BUILD) -o bin/ ./ci/cmd/ci
	@bin/ci issue -out $(CI_OUT) -stack $(STACK)

# What Aurora's certificates are checked by; the servers get it.
certificates/rds.pem:
	@mkdir -p $(@D)
	curl --fail --silent --show-error --location --output $@.part https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem
	@mv $@.part $@
