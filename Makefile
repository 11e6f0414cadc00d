# What can be done here. `make` alone lists it.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# rustup puts cargo here, and a shell that was open before does not know it yet.
export PATH := $(HOME)/.cargo/bin:$(PATH)

RUST := 1.95
NEXTEST := 0.9.143
DENY := 0.20.2

TARGET := $(or $(CARGO_TARGET_DIR),target)
LAB := lab/terminal
CASE ?= case
# Seconds that `make fuzz` gives each parser.
SECONDS_EACH ?= 60
# Captures that `make bench` makes its large one from.
BENCH_FROM ?= ../shared/captures
BENCH := $(TARGET)/bench.pcap
VERSION = $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -1)
PLATFORM = $(shell rustc -vV | sed -n 's/^host: //p')
DIST = $(TARGET)/dist/quaywatch-$(VERSION)-$(PLATFORM)

SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
# $(call debian,PROGRAM,PACKAGES): installs Debian packages if the program is missing.
debian = command -v $(1) >/dev/null || { \
	command -v apt-get >/dev/null || { echo "$(1) is missing; install: $(2)" >&2; exit 1; }; \
	echo "$(1) is missing: installing $(2)"; \
	$(SUDO) apt-get update -q && $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $(2); }

.PHONY: help demo test conformance fuzz cost lint dist bench lab talks tidy docs format ready rust

help: ## List the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | awk -F'\t' '{ printf "  make %-11s %s\n", $$1, $$2 }'

demo: ready ## Build, assess the lab terminal into ./case, and say where the report is
	cargo build --locked --profile demo -p quaywatch
	$(TARGET)/demo/quaywatch assess -r $(LAB)/captures --documents $(LAB)/documents --site $(LAB)/site.toml \
		-o $(CASE) --overwrite
	@echo "Open in a browser: $(abspath $(CASE))/report.html"

test: ready ## Run everything that a fresh machine can: rules of the house, reference pages, all tests
	@cargo nextest --version >/dev/null 2>&1 || cargo install --locked cargo-nextest@$(NEXTEST)
	cargo xtask tidy
	cargo xtask docs --check
	cargo nextest run --locked --workspace --no-fail-fast

conformance: ready ## Print how what is decoded agrees with tshark's tables, protocol by protocol
	@cargo nextest --version >/dev/null 2>&1 || cargo install --locked cargo-nextest@$(NEXTEST)
	cargo nextest run --locked -p quaywatch-protocols --test conformance --no-capture --no-fail-fast 2>&1 | grep -E '^(conformance|  )|skipped|Summary|FAIL'

fuzz: ready ## Feed each parser hostile input for SECONDS_EACH seconds (60)
	@$(call debian,c++,g++)
	fuzz/run $(SECONDS_EACH)

cost: ready ## Print what each protocol costs to decode
	cargo bench --locked -p quaywatch-protocols --features testing --bench decode

lint: ready ## Check formatting, lints, licences and sources of dependencies
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- -D warnings
	@# A debug build without the advisory database's network code: a minute instead of several.
	@cargo deny --version >/dev/null 2>&1 || cargo install --locked --debug --no-default-features cargo-deny@$(DENY)
	cargo deny check bans licenses sources

tidy: ready ## Check the rules of the house only
	cargo xtask tidy

docs: ready ## Write docs/reference/ from the registries
	cargo xtask docs

format: rust ## Format all Rust code
	cargo fmt --all

dist: ready ## Build what is handed to users: an archive with the binary and its papers
	cargo build --locked --release -p quaywatch
	@rm -rf $(DIST) && mkdir -p $(DIST)
	@cp $(TARGET)/release/quaywatch *.md LICENSE-APACHE LICENSE-MIT $(DIST)
	@cp -r docs $(DIST)/docs
	cargo xtask notices $(DIST)/THIRD-PARTY.txt
	@tar --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 -C $(dir $(DIST)) -cf - $(notdir $(DIST)) \
		| gzip -9n > $(DIST).tar.gz
	@cd $(dir $(DIST)) && sha256sum $(notdir $(DIST)).tar.gz

bench: ready ## Measure quaywatch and public tools side by side (docs/benchmarks.md)
	@$(call debian,/usr/bin/time,time)
	@$(call debian,tshark,tshark)
	@$(call debian,tcprewrite,wireshark-common tcpreplay)
	cargo build --locked --release -p quaywatch
	@[ -s $(BENCH) ] || cargo xtask bench-capture $(BENCH_FROM) $(BENCH)
	cargo xtask bench $(BENCH) $(TARGET)/release/quaywatch

lab: ## Rebuild the lab terminal: captures, documents, ground truth (needs root)
	$(SUDO) lab/build

talks: ## Record the talks of protocol stacks anew, all or TALKS="name ..." (needs root)
	$(SUDO) lab/talks/build $(TALKS)

ready: rust
	@$(call debian,cc,gcc libc6-dev)
	@$(call debian,git,git)

rust:
	@command -v cargo >/dev/null || { \
		echo "cargo is missing. Install Rust $(RUST) or newer with rustup (https://rustup.rs), then run make again." >&2; exit 1; }
	@has=$$(rustc --version | cut -d' ' -f2); \
	[ "$$(printf '%s\n' $(RUST) "$$has" | sort -V | head -1)" = $(RUST) ] || { \
		echo "Rust $$has is too old: Quaywatch needs $(RUST) or newer. Run: rustup update stable" >&2; exit 1; }
