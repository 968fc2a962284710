# The two commands for a newcomer are `make demo` and `make test`; both set up what they need, say what they install, and are quick the second time.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup setup-build build demo test soak lint bench fuzz stills

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1|/p' $(MAKEFILE_LIST) | column -t -s '|'

demo: setup ## Rehearse a whole deployment on this machine: three VMs in containers, real SSH, real Docker
	cargo run --quiet -- demo --yes $(DEMO_ARGS)

test: ## Set up, check the style, run every test, end to end too
	.ci/test

soak: setup ## Run the longest tests, whole journeys and interruptions, which `test` leaves out (more than an hour)
	if cargo nextest --version > /dev/null 2>&1; then cargo nextest run --profile soak --features e2e --test e2e; \
	else cargo test --features e2e --test e2e -- --test-threads=1 resume::killed upgrade::killed upgrade::a_release upgrade::from \
		adopt:: backup:: bundle::killed bundle::cut_ten bundle_limits:: bundle_engines:: hub::people hub::upgrade hub::identity launcher:: swarm::; fi

lint: setup-build ## Check formatting and lints
	cargo fmt --check
	cargo clippy --all-targets --features e2e -- -D warnings

bench: setup ## Measure against doing the same by hand, with Ansible and with pyinfra
	.ci/bench

fuzz: ## Feed damaged archives to the archive reader for FUZZ_SECONDS (300)
	.ci/fuzz

stills: setup ## Make the pictures of the README anew, from the real program on the fleet
	mkdir -p docs/stills
	SYNTHO_STILLS=$(CURDIR)/docs/stills cargo test --features e2e --test e2e -- --test-threads=1 by_keys what_happens_on_the_hosts

build: setup-build ## Build the release binary
	cargo build --release
	@ls -lh target/release/syntho-installer

setup-build: ## Install what compiling needs
	@.ci/setup build

setup: ## Install what compiling and the rehearsal need
	@.ci/setup all
