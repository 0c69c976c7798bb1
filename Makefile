# Lifeguard: `make help` lists what can be made.

ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help run build test lint format bench simulate fuzz package docs

help: ## what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-9s %s\n", $$1, $$2}' Makefile

run: build ## build Lifeguard and start it on this host with examples/quickstart.yaml
	@exec scripts/run.sh $(ARGS)

build: ## build the release command, .build-release/lifeguard
	@scripts/setup.sh run
	@scripts/build-release.sh

test: ## lint and all tests, real peers and real faults included (ARGS='--filter NAME')
	@scripts/test.sh $(ARGS)

lint: ## check format, shell scripts and Python programs
	@scripts/lint.sh

format: ## rewrite Swift sources in the project's format
	@git ls-files --cached --others --exclude-standard '*.swift' | \
	  xargs swift format --in-place --parallel

bench: ## measure Lifeguard and its peers on this machine (ARGS='--only recovery')
	@scripts/setup.sh bench
	@scripts/build-release.sh
	@scripts/build-release.sh query-bench
	@scripts/build-release.sh store-writer
	@scripts/build-release.sh bootstrap
	@python3 Benchmarks/bench.py --lifeguard .build-release/lifeguard \
	  --query-bench .build-release/query-bench $(ARGS)

simulate: ## the simulation over many more seeds than a test run takes (SEEDS=50000)
	@scripts/setup.sh run
	@LIFEGUARD_SIM_SEEDS=$${SEEDS:-50000} swift test --filter SimulationTests $(ARGS)

fuzz: ## every random test for MINUTES=2 from SEED: queries beside Prometheus, patterns beside RE2, input
	@scripts/setup.sh test
	@LIFEGUARD_FUZZ_SECONDS=$$(($${MINUTES:-2} * 60)) LIFEGUARD_FUZZ_SEED=$${SEED:-$$(date +%s)} \
	  swift test --no-parallel --filter 'PromQLPeerTests|LifeguardCoreTests.(ParserTests|RegularExpression|ExpositionParser|Snappy|WriteRequest)|LifeguardStoreTests.*Samples.taken' $(ARGS)

package: build ## pack the release: dist/lifeguard-VERSION-ARCH.tar.gz, the Lambda zip and its layer
	@scripts/build-release.sh bootstrap
	@scripts/package.sh
	@scripts/package-lambda.sh

docs: ## the API's pages from the doc comments: dist/docs
	@scripts/docs.sh
