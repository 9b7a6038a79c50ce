# 开封 Kaifeng. Every target sets up what it needs.
PY ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: help demo test check audit bench lock clean

help: ## 列出目标 / list the targets
	@grep -E '^[a-z]+:.*## ' Makefile | sed -E 's/:.*## /\t/' | expand -t 10

.venv/runtime: locks/runtime.txt pyproject.toml
	$(PY) -m venv .venv
	$(PIP) install --no-deps --require-hashes -r locks/runtime.txt
	$(PIP) install --no-deps --no-build-isolation --editable .
	$(BIN)/python -m compileall -q trading evaluation robots analytics web
	$(BIN)/python -m web.assets
	@touch $@

.venv/dev: .venv/runtime locks/dev.txt
	$(PIP) install --no-deps --require-hashes -r locks/dev.txt
	@touch $@

.venv/spark: .venv/dev locks/spark.txt
	$(PIP) install --no-deps --require-hashes -r locks/spark.txt
	@touch $@

demo: .venv/runtime ## 启动服务，一个真实项目正在招标 / the server with one real tender live
	$(BIN)/kaifeng demo --out kaifeng-demo

test: .venv/spark ## 全部测试 / the whole test suite
	$(BIN)/pytest -n 2 -q --dist loadgroup

check: .venv/dev ## 格式、规范、类型、层次、架构 / format, lint, types, contracts, architecture
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy
	cd tests && MYPYPATH=.. ../$(BIN)/mypy --config-file mypy.ini .
	$(BIN)/lint-imports --no-cache
	$(BIN)/pytest -q tests/architecture

audit: .venv/dev ## 外部工具 / outside tools: bandit, secrets, TLS, mutants
	PYTHONPATH=tests $(BIN)/python -m audit.run

bench: .venv/dev ## 与同类在同一次运行中比较 / measured beside its peers, in one run
	PYTHONPATH=tests $(BIN)/python -m bench.run $(TOPICS)

lock: .venv/runtime ## 重新锁定依赖 / lock the dependencies anew
	$(PIP) install uv
	$(BIN)/uv pip compile --quiet --generate-hashes --no-emit-index-url --no-header \
		--python-version 3.11 pyproject.toml locks/build.in -o locks/runtime.txt
	$(BIN)/uv pip compile --quiet --generate-hashes --no-emit-index-url --no-header \
		--python-version 3.11 --extra dev pyproject.toml locks/build.in -o locks/dev.txt
	$(BIN)/uv pip compile --quiet --generate-hashes --no-emit-index-url --no-header \
		--python-version 3.11 locks/spark.in -o locks/spark.txt

clean: ## 删除环境与演示 / remove the environment and the demo
	rm -rf .venv kaifeng-demo kaifeng-story kaifeng-replay build dist
